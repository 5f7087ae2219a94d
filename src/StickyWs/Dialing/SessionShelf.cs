using StickyWs.Tls;

namespace StickyWs.Dialing;

/// <summary>
/// The TLS sessions of one backend: the newest 16, for an hour at most. One of TLS 1.3 is offered once (RFC 8446, appendix C.4), one of TLS 1.2 until a
/// handshake with it fails. Only sessions of connections whose certificate was accepted belong here; a connection that resumes one is judged again, by
/// the certificates of the first. Safe for concurrent use.
/// </summary>
internal sealed class SessionShelf(TimeProvider time)
{
    /// <summary>One handshake brings one or two. So a burst of as many tunnels is resumed, and leaves as many for the next.</summary>
    public const int Most = 16;

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<Kept> _kept = []; // The newest last.

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _kept.Count;
        }
    }

    /// <summary>Offers the newest to the server of an end that is about to start.</summary>
    /// <returns>Whether there was one.</returns>
    public bool TryOffer(TlsEnd end)
    {
        lock (_gate)
        {
            if (_kept.Last is not { } newest) return false;
            if (time.GetElapsedTime(newest.Value.Since) >= Longest)
            {
                Clear(); // The others are older.
                return false;
            }

            // Should it be refused, it is not offered again.
            _kept.RemoveLast();
            end.Offer(newest.Value.Session);
            if (newest.Value.Session.IsForOneUse) newest.Value.Session.Dispose();
            else _kept.AddLast(newest);
            return true;
        }
    }

    /// <summary>Takes what has come for an end whose server was accepted.</summary>
    public void Keep(TlsEnd end)
    {
        var sessions = end.TakeSessions();
        if (sessions.Length == 0) return;
        lock (_gate)
        {
            foreach (var session in sessions) _kept.AddLast(new Kept(session, time.GetTimestamp()));
            for (; _kept.Count > Most; _kept.RemoveFirst()) _kept.First!.Value.Session.Dispose();
        }
    }

    /// <summary>Drops all: a handshake with one of them failed.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (var kept in _kept) kept.Session.Dispose();
            _kept.Clear();
        }
    }

    private sealed record Kept(SessionHandle Session, long Since);
}
