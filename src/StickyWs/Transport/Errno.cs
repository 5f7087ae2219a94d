namespace StickyWs.Transport;

/// <summary>The errors of Linux that mean something here (errno(3)); the numbers are the same on x64 and arm64.</summary>
internal enum Errno
{
    None = 0,
    Interrupted = 4,
    Again = 11,
    OutOfMemory = 12,
    Invalid = 22,
    TableFull = 23,
    TooManyFiles = 24,
    BrokenPipe = 32,
    Protocol = 71,
    NoNetwork = 64,
    NetworkDown = 100,
    NetworkUnreachable = 101,
    Aborted = 103,
    ConnectionReset = 104,
    NoBuffers = 105,
    TimedOut = 110,
    ConnectionRefused = 111,
    HostDown = 112,
    HostUnreachable = 113,
    NotSupported = 95,
    Already = 114,
    InProgress = 115,
}
