using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Tunnels;

/// <summary>
/// What is kept of a tunnel whose pool limits the silence of each side (<c>Tunnels:ClientIdleTimeout</c>, <c>BackendIdleTimeout</c>, <c>Ping</c>). Other
/// tunnels have none. Times are milliseconds.
/// </summary>
internal sealed class TunnelWatch
{
    private readonly TunnelOptions _options;
    private readonly DrainOptions _drain;
    private int _seenRounds;

    private TunnelWatch(TunnelOptions options, DrainOptions drain) => (_options, _drain) = (options, drain);

    /// <summary>The watch that a pool's options ask for; <see langword="null"/> for none.</summary>
    public static TunnelWatch? For(TunnelOptions options, DrainOptions drain)
        => options is { ClientIdleTimeout: null, BackendIdleTimeout: null, Ping.Interval: null } ? null : new TunnelWatch(options, drain);

    public PeerWatch Client { get; } = new(isClient: true);

    public PeerWatch Backend { get; } = new(isClient: false);

    public PeerWatch Of(bool isClient) => isClient ? Client : Backend;

    /// <summary>The shortest of its limits: how closely it must be looked at.</summary>
    public int Shortest => (int)Math.Min(
        Math.Min(Milliseconds(_options.ClientIdleTimeout), Milliseconds(_options.BackendIdleTimeout)),
        _options.Ping.Interval is null ? int.MaxValue : Math.Min(Milliseconds(_options.Ping.Interval), Milliseconds(_options.Ping.Timeout)));

    /// <summary>Whether a sign of life is waited for.</summary>
    public bool IsAwaited => Client.IsAwaited || Backend.IsAwaited;

    public void Begin(long now)
    {
        Client.Begin(now);
        Backend.Begin(now);
    }

    /// <summary>Nothing that either sent could be heard for a while.</summary>
    public void Excuse(long now)
    {
        Client.Excuse(now);
        Backend.Excuse(now);
    }

    /// <summary>What a side's silence calls for.</summary>
    public WatchStep NextStep(bool isClient, long now)
    {
        var peer = Of(isClient);
        if (now - peer.SpokeAt >= Milliseconds(isClient ? _options.ClientIdleTimeout : _options.BackendIdleTimeout)) return WatchStep.EndIdle;
        if (_options.Ping.Interval is null || _options.Ping.Peers == (isClient ? PingPeers.Backend : PingPeers.Client)) return WatchStep.None;
        if (peer.IsAwaited) return now - peer.AskedAt >= Milliseconds(_options.Ping.Timeout) ? WatchStep.EndMute : WatchStep.None;
        return now - peer.HeardAt >= Milliseconds(_options.Ping.Interval) ? WatchStep.Ask : WatchStep.None;
    }

    /// <summary>The word that ends it.</summary>
    public Goodbye WordOf(bool isClient, WatchStep step) => new((ushort)_options.CloseCode, _options.CloseReason, (step, isClient) switch
    {
        (WatchStep.EndIdle, true) => EndReason.ClientIdleTimeout,
        (WatchStep.EndIdle, false) => EndReason.BackendIdleTimeout,
        (_, true) => EndReason.ClientPingTimeout,
        (_, false) => EndReason.BackendPingTimeout,
    }, _drain.CloseTimeout);

    /// <summary>
    /// Whether all that was acknowledged since the last call is the application's: no ping of ours was sent or answered meanwhile. Called by whoever looks
    /// for slow readers.
    /// </summary>
    public bool IsUndisturbed()
    {
        var rounds = Client.Rounds + Backend.Rounds;
        var isSame = rounds == _seenRounds && !IsAwaited;
        _seenRounds = rounds;
        return isSame;
    }

    private static double Milliseconds(TimeSpan? time) => time?.TotalMilliseconds ?? int.MaxValue;
}

/// <summary>What to do about a side's silence.</summary>
internal enum WatchStep
{
    None,

    /// <summary>Nothing that counts came from it for too long.</summary>
    EndIdle,

    /// <summary>Ask it for a sign of life.</summary>
    Ask,

    /// <summary>It was asked, and gave none.</summary>
    EndMute,
}
