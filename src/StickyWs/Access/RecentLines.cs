using StickyWs.Observability;

namespace StickyWs.Access;

/// <summary>
/// The last tunnels that ended, and the last handshakes and requests that were refused. It keeps the lines that are made anyway, and while somebody looks
/// they are all made (<see cref="Attention"/>). Safe for concurrent use; to keep one is an addition and a write.
/// </summary>
internal sealed class RecentLines(TimeProvider time)
{
    /// <summary>How many of each are kept.</summary>
    public const int Most = 1000;

    // Whose client left was not refused.
    private const string ClientGone = nameof(HandshakeOutcome.ClientGone);

    private readonly Ring _ends = new();
    private readonly Ring _refusals = new();

    /// <summary>Raised for each refusal, on any thread. Handlers must be quick and must not throw.</summary>
    public event Action<AccessLine>? Refused;

    /// <summary>Keeps a line, if it is one of an end or of a refusal.</summary>
    public void Add(AccessLine line)
    {
        if (line.Event == AccessEvent.Tunnel)
        {
            line.EndedAt = time.GetUtcNow();
            _ends.Add(line);
        }
        else if (IsRefusal(line))
        {
            line.EndedAt = time.GetUtcNow();
            _refusals.Add(line);
            Refused?.Invoke(line);
        }
    }

    /// <summary>The last tunnels that ended, the newest first.</summary>
    public AccessLine[] ReadEnds() => _ends.Read();

    /// <summary>The last handshakes and requests that were refused, the newest first.</summary>
    public AccessLine[] ReadRefusals() => _refusals.Read();

    // A plain request has no outcome if its backend answered, whatever that said. A handshake that the application ended has none either.
    private static bool IsRefusal(AccessLine line) => line.Event == AccessEvent.Request ? line.Outcome is not (null or ClientGone) : line.Outcome != ClientGone;

    private sealed class Ring
    {
        private AccessLine?[]? _lines;
        private int _last = -1;

        public void Add(AccessLine line)
        {
            var lines = _lines ?? Interlocked.CompareExchange(ref _lines, new AccessLine?[Most], null) ?? _lines;
            Volatile.Write(ref lines[(int)((uint)Interlocked.Increment(ref _last) % Most)], line);
        }

        public AccessLine[] Read()
        {
            if (_lines is not { } lines) return [];
            var found = new List<AccessLine>(Most);
            var last = (int)((uint)Volatile.Read(ref _last) % Most);
            for (var i = 0; i < Most; i++)
            {
                if (Volatile.Read(ref lines[(last - i + Most) % Most]) is { } line) found.Add(line);
            }

            return [.. found.OrderByDescending(static line => line.EndedAt)];
        }
    }
}
