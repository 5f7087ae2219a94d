namespace StickyWs.Configuration;

/// <summary>The raw Linux transport. Read once, when the application starts to listen; a change needs a restart.</summary>
public sealed class TransportOptions
{
    /// <summary>Whether WebSockets on plain-text connections use the raw lane. Default <see cref="RawLaneMode.Auto"/>.</summary>
    public RawLaneMode RawLane { get; set; } = RawLaneMode.Auto;

    /// <summary>The kernel interface that its reactors wait on. Default <see cref="ReactorMode.Auto"/>.</summary>
    public ReactorMode Reactor { get; set; } = ReactorMode.Auto;

    /// <summary>
    /// Where the TLS of https endpoints, and of tunnels to https backends, ends. Default <see cref="TlsMode.Auto"/>. In the raw lane, handshakes of
    /// WebSockets inside TLS are sniffed, and so pass no middleware of the application.
    /// </summary>
    public TlsMode Tls { get; set; } = TlsMode.Auto;

    /// <summary>The number of reactor threads of the raw lane. Range 1 to 1,024; default <see langword="null"/>: one per core.</summary>
    [NumberRange(1, 1024)]
    public int? Reactors { get; set; }

    /// <summary>
    /// How many bytes this process buffers per direction of a connection while its reader stalls; then back-pressure stops the sender. The kernel's
    /// socket buffers and the buffers of TLS and HTTP come on top. Also the size of Kestrel's transport buffers (<c>SocketTransportOptions</c>),
    /// unless the application has set them. Range 16,384 to 16,777,216; default 65,536.
    /// </summary>
    [NumberRange(16 * 1024, 16 * 1024 * 1024)]
    public int MaxBufferSize { get; set; } = 64 * 1024;

    /// <summary>
    /// Whether plain requests on raw-lane connections run on the reactor threads instead of the thread pool: for a process that only balances.
    /// Unsafe: application code that blocks there, or waits synchronously for a backend's response, stalls all other connections of that thread,
    /// tunnels included. Default <see langword="false"/>. Kestrel's own option of that name has no effect in the raw lane.
    /// </summary>
    public bool UnsafePreferInlineScheduling { get; set; }
}
