using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;
using StickyWs.Observability;

namespace StickyWs.Transport;

/// <summary>Whether connections are accepted and relayed natively, decided once, when the first listener is bound; and the reactors, when they are.</summary>
internal sealed partial class RawLane(IOptionsMonitor<StickyWsOptions> options, ILogger<RawLane> logger) : IDisposable
{
    private readonly Lock _lock = new();
    private ReactorGroup? _reactors;
    private bool _isDecided;

    /// <summary>The reactors, or <see langword="null"/> when the portable lane serves; the log says why, once.</summary>
    /// <exception cref="OptionsValidationException">The raw lane is demanded, and cannot be had.</exception>
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

    public void Dispose() => _reactors?.Dispose();

    private void Decide(TransportOptions transport)
    {
        var obstacle = transport.RawLane == RawLaneMode.Off ? "it is switched off (Transport:RawLane)" : TryStart(transport.Reactors ?? Environment.ProcessorCount);
        if (obstacle is null)
        {
            LogOn(_reactors!.Count);
            return;
        }

        if (transport.RawLane == RawLaneMode.On)
        {
            var error = OptionsError.Of("Transport:RawLane", nameof(RawLaneMode.On), $"use Auto or Off on this machine, for {obstacle}");
            throw new OptionsValidationException(Options.DefaultName, typeof(StickyWsOptions), [error]);
        }

        LogOff(obstacle);
    }

    // What is in the way, if anything is.
    private string? TryStart(int count)
    {
        if (!OperatingSystem.IsLinux()) return "it needs Linux";
        if (RuntimeInformation.ProcessArchitecture is not (Architecture.X64 or Architecture.Arm64)) return $"it is not made for {RuntimeInformation.ProcessArchitecture}";
        try
        {
            if (KernelProbe.FirstRefusal() is { } refusal) return $"the system refuses: {refusal}";
            _reactors = ReactorGroup.Start(count, LogFailed);
            return null;
        }
        catch (Exception e) when (e is IOException or DllNotFoundException or EntryPointNotFoundException)
        {
            return $"the system refuses: {e.Message}";
        }
    }

    [LoggerMessage(EventIds.RawLaneOn, LogLevel.Information, "The raw lane serves WebSockets on plain connections: {Reactors} reactors on epoll", EventName = "RawLaneOn")]
    private partial void LogOn(int reactors);

    [LoggerMessage(EventIds.RawLaneOff, LogLevel.Information, "The portable lane serves all WebSockets; the raw lane does not, for {Obstacle}", EventName = "RawLaneOff")]
    private partial void LogOff(string obstacle);

    [LoggerMessage(EventIds.ReactorFailed, LogLevel.Error, "A reactor met a defect; at most one tunnel was ended by it", EventName = "ReactorFailed")]
    private partial void LogFailed(Exception exception);
}
