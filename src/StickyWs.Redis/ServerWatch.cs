using System.Net;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace StickyWs.Redis;

/// <summary>
/// Logs when a server is lost and when it is reached again: one line each, however many attempts fail and however many requests notice. The channel
/// may have a connection of its own, which does not count here: without it a pin is looked up, not lost.
/// </summary>
internal sealed partial class ServerWatch(ILogger logger)
{
    private readonly HashSet<string> _lost = [];
    private readonly Dictionary<string, long> _reached = [];
    private readonly Lock _lock = new();
    private bool _isOver;

    /// <summary>Called by the client once per connection attempt; on several threads, so attempts may be reported out of order.</summary>
    public void OnAttempted(object? sender, ConnectionAttemptCompletedEventArgs attempt)
    {
        if (attempt.ConnectionType != ConnectionType.Interactive) return;
        var server = Name(attempt.EndPoint);
        if (attempt.IsSuccess) Restore(server, attempt.SequenceNumber);
        else Lose(server, Reason(attempt.FailureType, attempt.Exception), attempt.SequenceNumber);
    }

    /// <summary>Called by the client when an established connection is lost.</summary>
    public void OnFailed(object? sender, ConnectionFailedEventArgs failure)
    {
        if (failure.ConnectionType != ConnectionType.Interactive) return;
        Lose(Name(failure.EndPoint), Reason(failure.FailureType, failure.Exception), long.MaxValue);
    }

    /// <summary>From now on connections are lost only because they are being closed.</summary>
    public void End()
    {
        lock (_lock) _isOver = true;
    }

    private void Lose(string server, string reason, long sequence)
    {
        lock (_lock)
        {
            if (_isOver || sequence < _reached.GetValueOrDefault(server) || !_lost.Add(server)) return;
        }

        LogLost(server, reason);
    }

    private void Restore(string server, long sequence)
    {
        lock (_lock)
        {
            _reached[server] = sequence;
            if (!_lost.Remove(server)) return;
        }

        LogRestored(server);
    }

    private static string Name(EndPoint? server) => server is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : $"{server}";

    private static string Reason(ConnectionFailureType type, Exception? exception)
        => exception is null ? $"{type}" : $"{type}: {exception.GetBaseException().Message}";
}
