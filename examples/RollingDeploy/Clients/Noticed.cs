using System.Collections.Concurrent;

namespace StickyWs.Examples.RollingDeploy.Clients;

/// <summary>What clients noticed, all together. Safe for concurrent use.</summary>
internal sealed class Noticed
{
    /// <summary>The code of a connection that ended without a Close frame (RFC 6455 section 7.1.5).</summary>
    public const int Abnormal = 1006;

    private readonly ConcurrentDictionary<int, int> _codes = new();
    private readonly ConcurrentDictionary<long, int> _reconnects = new();
    private readonly ConcurrentDictionary<string, int> _acknowledged = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private int _connected;
    private int _requests;

    public int Connected => Volatile.Read(ref _connected);

    /// <summary>How often each close code was seen.</summary>
    public IReadOnlyDictionary<int, int> Codes => new SortedDictionary<int, int>(_codes);

    public int Reconnects => _reconnects.Values.Sum();

    public int MostReconnectsInASecond => _reconnects.Values.DefaultIfEmpty().Max();

    /// <summary>The highest number of each client of which it knows that it has arrived: those before it have, too.</summary>
    public IReadOnlyDictionary<string, int> Acknowledged => _acknowledged;

    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Requests without a good answer, and connections that could not be made.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    public void Opened(bool isAgain)
    {
        Interlocked.Increment(ref _connected);
        if (isAgain) _reconnects.AddOrUpdate(Environment.TickCount64 / 1000, 1, (_, count) => count + 1);
    }

    public void Closed(int? code)
    {
        Interlocked.Decrement(ref _connected);
        _codes.AddOrUpdate(code ?? Abnormal, 1, (_, count) => count + 1);
    }

    public void Confirmed(string client, int number) => _acknowledged[client] = number;

    public void Answered() => Interlocked.Increment(ref _requests);

    public void Failed(string what) => _failures.Enqueue(what);
}
