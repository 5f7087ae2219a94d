using System.Net;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace StickyWs.Redis;

/// <summary>
/// Says when a server is lost and when it is reached again: one log line each, however often it was tried and however many requests noticed. The
/// channel may have a connection of its own, which says nothing here: without it a pin is looked up, not lost.
/// </summary>
internal sealed partial class ServerWatch(ILogger logger)
{
    private readonly HashSet<string> _lost = [];
    private readonly Dictionary<string, long> _reached = [];
    private readonly Lock _lock = new();
    private bool _isOver;

    /// <summary>From the client, once per attempt to connect; on several threads, so that an attempt may be told of behind a later one.</summary>
    public void OnAttempted(object? sender, ConnectionAttemptCompletedEventArgs attempt)
    {
        if (attempt.ConnectionType != ConnectionType.Interactive) return;
        var server = Name(attempt.EndPoint);
        if (attempt.IsSuccess) Restore(server, attempt.SequenceNumber);
        else Lose(server, Reason(attempt.FailureType, attempt.Exception), attempt.SequenceNumber);
    }

    /// <summary>From the client, when a connection that stood is lost.</summary>
    public void OnFailed(object? sender, ConnectionFailedEventArgs failure)
    {
        if (failure.ConnectionType == ConnectionType.Interactive) Lose(Name(failure.EndPoint), Reason(failure.FailureType, failure.Exception), long.MaxValue);
    }

    /// <summary>Whatever is lost from now on is so because it is closed.</summary>
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
