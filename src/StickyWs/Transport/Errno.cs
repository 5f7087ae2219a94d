namespace StickyWs.Transport;

/// <summary>The errors of Linux that mean something here (errno(3)); the numbers are the same on x64 and arm64.</summary>
internal enum Errno
{
    None = 0,
    NotPermitted = 1,
    Interrupted = 4,
    BadDescriptor = 9,
    Again = 11,
    OutOfMemory = 12,
    BadAddress = 14,
    Invalid = 22,
    TableFull = 23,
    TooManyFiles = 24,
    BrokenPipe = 32,
    NotImplemented = 38,
    NoNetwork = 64,
    Protocol = 71,
    NotSupported = 95,
    AddressNotAvailable = 99,
    NetworkDown = 100,
    NetworkUnreachable = 101,
    Aborted = 103,
    ConnectionReset = 104,
    NoBuffers = 105,
    TimedOut = 110,
    ConnectionRefused = 111,
    HostDown = 112,
    HostUnreachable = 113,
    Already = 114,
    InProgress = 115,
}
