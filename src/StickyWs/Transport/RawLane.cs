using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;
using StickyWs.Kernel;
using StickyWs.Names;
using StickyWs.Observability;
using StickyWs.Reactors;
using StickyWs.Tls;

namespace StickyWs.Transport;

/// <summary>
/// Decides once, when the first listener is bound, whether connections are accepted and relayed natively, and by which reactors. It takes the best
/// option that the system offers; the log and a metric say which, and what prevented a better one.
/// </summary>
internal sealed partial class RawLane(
    IOptionsMonitor<StickyWsOptions> options,
    IOptions<SocketTransportOptions> sockets,
    ILogger<RawLane> logger,
    IMemoryPoolFactory<byte>? pools = null) : IDisposable
{
    // Pipes take two descriptors each and are kept. They may use a sixty-fourth of the limit: a third of the reserve (DescriptorBudget).
    private const int PipesShare = 64;

    private const string NotAsked = "disabled by configuration (Transport:Reactor)";

    private readonly Lock _lock = new();
    private ReactorGroup? _reactors;
    private ChannelSettings? _channels;
    private bool _isDecided;

    /// <summary>The reactors, or <see langword="null"/> if the portable lane is used; the reason is logged once.</summary>
    /// <exception cref="OptionsValidationException">The raw lane, or io_uring, is required and not available.</exception>
    public ReactorGroup? Reactors
    {
        get
        {
            lock (_lock)
            {
                if (_isDecided) return _reactors;
                Decide(options.CurrentValue.Transport);
                _isDecided = true;
                return _reactors;
            }
        }
    }

    /// <summary>Whether it is in use. It is not until the first listener has asked for the reactors.</summary>
    public bool IsOn => Volatile.Read(ref _reactors) is not null;

    /// <summary>The reactors, if they run; the first listener decides on that.</summary>
    public IReadOnlyList<Reactor> Running => Volatile.Read(ref _reactors)?.All ?? [];

    /// <summary>Why it is not io_uring, or why it is off; <see langword="null"/> if nothing is in the way, or nothing was decided yet.</summary>
    public string? Obstacle { get; private set; }

    /// <summary>Whether TLS of clients ends in it; <see langword="null"/> if no endpoint has asked for that yet.</summary>
    public bool? HasTls => !IsOn || options.CurrentValue.Transport.Tls == TlsMode.SslStream ? false : TlsSupport.WasFound;

    /// <summary>How many reactors there are, and why they do not use io_uring, if they do not; <see langword="null"/> while the lane is not in use.</summary>
    public (int Count, string? NoUring)? Threads => Volatile.Read(ref _reactors) is { } reactors ? (reactors.Count, Obstacle) : null;

    /// <summary>The reactor for the next backend connection that is not part of a tunnel. Valid only while the lane is on.</summary>
    public Reactor NextReactor() => _reactors!.Next();

    /// <summary>The settings its channels share. Valid only while the lane is on.</summary>
    public ChannelSettings Channels => _channels!;

    public void Dispose()
    {
        _reactors?.Dispose();
        _channels?.Dispose();
    }

    private void Decide(TransportOptions transport)
    {
        if (ObstacleIn(transport) is { } obstacle)
        {
            Refuse("Transport:RawLane", nameof(RawLaneMode.On), "use Auto or Off on this machine", obstacle, isDemanded: transport.RawLane == RawLaneMode.On);
            LogOff(Obstacle = obstacle);
            return;
        }

        _channels = new ChannelSettings(sockets.Value, transport, pools);
        var count = transport.Reactors ?? Environment.ProcessorCount;
        var noUring = transport.Reactor == ReactorMode.Epoll ? NotAsked : TryStart(ReactorMode.IoUring, count, transport);
        if (noUring is not null)
        {
            var isDemanded = transport.Reactor == ReactorMode.IoUring;
            Refuse("Transport:Reactor", nameof(ReactorMode.IoUring), "use Auto or Epoll on this machine", noUring, isDemanded);
        }

        if (_reactors is null && TryStart(ReactorMode.Epoll, count, transport) is { } noEpoll)
        {
            Refuse("Transport:RawLane", nameof(RawLaneMode.On), "use Auto or Off on this machine", noEpoll, isDemanded: transport.RawLane == RawLaneMode.On);
            LogOff(Obstacle = noEpoll);
            return;
        }

        Obstacle = noUring;
        LogOn(count, noUring is null ? "io_uring" : $"epoll, not io_uring: {noUring}");
    }

    // What prevents the raw lane altogether, if anything.
    private static string? ObstacleIn(TransportOptions transport)
    {
        if (transport.RawLane == RawLaneMode.Off) return "disabled by configuration (Transport:RawLane)";
        if (!OperatingSystem.IsLinux()) return "it needs Linux";
        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64))
            return $"it does not support {RuntimeInformation.ProcessArchitecture}";
        return null;
    }

    private string? TryStart(ReactorMode mode, int count, TransportOptions transport)
    {
        try
        {
            var refusal = KernelProbe.FirstRefusal() ?? (mode == ReactorMode.IoUring ? UringProbe.FirstRefusal() : null);
            if (refusal is not null) return $"the system refuses: {refusal}";
            var mostPipes = Math.Min(OpenDescriptors.Limit / PipesShare / 2 / count, SocketReactor.MostPipes);
            _reactors = ReactorGroup.Start(mode, count, LogFailed, transport.MaxBufferSize, mostPipes);
            return null;
        }
        catch (Exception e) when (e is IOException or DllNotFoundException or EntryPointNotFoundException)
        {
            return $"the system refuses: {e.Message}";
        }
    }

    private static void Refuse(string key, string value, string remedy, string obstacle, bool isDemanded)
    {
        if (!isDemanded) return;
        throw new OptionsValidationException(Options.DefaultName, typeof(StickyWsOptions), [OptionsError.Of(key, value, $"{remedy}, because {obstacle}")]);
    }

    [LoggerMessage(EventIds.RawLaneOn, LogLevel.Information,
        "The raw lane serves WebSockets on plain connections: {Reactors} reactors on {Kernel}",
        EventName = "RawLaneOn")]
    private partial void LogOn(int reactors, string kernel);

    [LoggerMessage(EventIds.RawLaneOff, LogLevel.Information,
        "The portable lane serves all WebSockets; the raw lane is off: {Obstacle}",
        EventName = "RawLaneOff")]
    private partial void LogOff(string obstacle);

    [LoggerMessage(EventIds.ReactorFailed, LogLevel.Error, "A reactor failed unexpectedly; at most one tunnel was ended by it", EventName = "ReactorFailed")]
    private partial void LogFailed(Exception exception);
}
