namespace StickyWs.Configuration;

/// <summary>The raw Linux transport. Read once, when the application starts to listen; a change needs a new start.</summary>
public sealed class TransportOptions
{
    /// <summary>Whether WebSockets on plain connections are relayed natively. Default <see cref="RawLaneMode.Auto"/>.</summary>
    public RawLaneMode RawLane { get; set; } = RawLaneMode.Auto;

    /// <summary>What its reactors wait with. Default <see cref="ReactorMode.Auto"/>.</summary>
    public ReactorMode Reactor { get; set; } = ReactorMode.Auto;

    /// <summary>Threads that serve the raw lane, 1 to 1,024; <see langword="null"/>, the default, for one per core.</summary>
    [NumberRange(1, 1024)]
    public int? Reactors { get; set; }

    /// <summary>
    /// Bytes that one direction of a connection may hold in this process for a reader that stalls; its sender is stopped then. The kernel's own socket buffers
    /// come on top, and what TLS and HTTP keep. Also the size of Kestrel's transport buffers (<c>SocketTransportOptions</c>), unless the application
    /// has set them. Range 16,384 to 16,777,216; default 65,536.
    /// </summary>
    [NumberRange(16 * 1024, 16 * 1024 * 1024)]
    public int MaxBufferSize { get; set; } = 64 * 1024;

    /// <summary>
    /// Whether plain requests that the raw lane carries are served on the threads of its reactors instead of the thread pool's: for a process that
    /// only balances. Unsafe: code of the application's that blocks there, or waits for a backend's answer without giving the thread back, holds up
    /// everybody for as long, tunnels too. Default <see langword="false"/>. Kestrel's own option of that name has no effect in the raw lane.
    /// </summary>
    public bool UnsafePreferInlineScheduling { get; set; }
}
