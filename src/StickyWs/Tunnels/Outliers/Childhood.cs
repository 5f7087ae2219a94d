using System.Net;
using StickyWs.Backends;

namespace StickyWs.Tunnels;

/// <summary>
/// How the tunnels of one backend fared soon after they opened, as its clients saw it, within the last window: two halves of it, of which the older is
/// dropped. Each client counts as much as any other, however many tunnels it opens and breaks; memory is bounded.
/// </summary>
internal sealed class Childhood(TimeProvider time)
{
    /// <summary>How many clients are remembered in each half of the window; further ones do not count.</summary>
    public const int MostClients = 1024;

    private readonly Lock _lock = new();
    private Dictionary<UInt128, Fate> _now = [];
    private Dictionary<UInt128, Fate> _before = [];
    private (int Now, int Before) _ends;
    private long _since = time.GetTimestamp();

    /// <summary>A tunnel has opened.</summary>
    public void Opened(IPAddress? client, TimeSpan window)
    {
        lock (_lock)
        {
            if (FateOf(client, window) is { } fate) fate.Opened++;
        }
    }

    /// <summary>A tunnel has died young.</summary>
    /// <returns>How many have within the window, of all clients.</returns>
    public int Died(IPAddress? client, TimeSpan window)
    {
        lock (_lock)
        {
            if (FateOf(client, window) is not { } fate) return _ends.Now + _ends.Before;
            (fate.Died, fate.Client) = (fate.Died + 1, client);
            _ends.Now++;
            return _ends.Now + _ends.Before;
        }
    }

    /// <summary>Sums up. It looks at each client that is remembered, under the lock that reactors take.</summary>
    /// <param name="window">The window.</param>
    /// <param name="seen">Takes the keys of clients that had a tunnel, until it has <paramref name="most"/>.</param>
    /// <param name="most">How many are wanted.</param>
    public Mortality Read(TimeSpan window, HashSet<UInt128>? seen = null, int most = 0)
    {
        lock (_lock)
        {
            Turn(window);
            var all = default(Mortality);
            foreach (var (key, now) in _now) Add(key, now, _before.GetValueOrDefault(key));
            foreach (var (key, before) in _before)
            {
                if (!_now.ContainsKey(key)) Add(key, null, before);
            }

            return all;

            void Add(UInt128 key, Fate? now, Fate? before)
            {
                var died = (now?.Died ?? 0) + (before?.Died ?? 0);
                var opened = Math.Max(died, (now?.Opened ?? 0) + (before?.Opened ?? 0)); // It may have opened before the window did.
                if (opened == 0) return;
                all += new Mortality(1, (double)died / opened, died, died > 0 ? 1 : 0);
                if (seen?.Count < most) seen.Add(key);
            }
        }
    }

    /// <summary>It is suspected: what was seen has its effect, and is forgotten.</summary>
    /// <returns>Some of the clients that had a tunnel that died young.</returns>
    public IReadOnlyList<IPAddress?> TakeWitnesses(int most)
    {
        lock (_lock)
        {
            Dictionary<UInt128, IPAddress?> witnesses = [];
            foreach (var (key, fate) in _now.Concat(_before))
            {
                if (witnesses.Count == most) break;
                if (fate.Died > 0) witnesses.TryAdd(key, fate.Client);
            }

            _now.Clear();
            _before.Clear();
            _ends = default;
            return [.. witnesses.Values];
        }
    }

    private Fate? FateOf(IPAddress? client, TimeSpan window)
    {
        Turn(window);
        var key = Suspicion.KeyOf(client);
        if (_now.TryGetValue(key, out var fate)) return fate;
        return _now.Count < MostClients ? _now[key] = new Fate() : null;
    }

    private void Turn(TimeSpan window)
    {
        var passed = time.GetElapsedTime(_since);
        if (passed < window / 2) return;
        (_before, _now) = (_now, _before);
        _now.Clear();
        _ends = (0, _ends.Now);
        if (passed >= window)
        {
            _before.Clear();
            _ends = default;
        }

        _since = time.GetTimestamp();
    }

    private sealed class Fate
    {
        public int Opened { get; set; }

        public int Died { get; set; }

        public IPAddress? Client { get; set; }
    }
}

/// <summary>What became of a backend's tunnels soon after they opened.</summary>
/// <param name="Clients">How many clients had one.</param>
/// <param name="Sum">The sum over these of the part of each one's tunnels that died young.</param>
/// <param name="Ends">How many tunnels died young.</param>
/// <param name="Witnesses">How many clients had one of these.</param>
internal readonly record struct Mortality(int Clients, double Sum, int Ends, int Witnesses)
{
    /// <summary>The mean over clients of the part of their tunnels that died young, 0 to 1.</summary>
    public double Share => Clients == 0 ? 0 : Sum / Clients;

    public static Mortality operator +(Mortality a, Mortality b)
        => new(a.Clients + b.Clients, a.Sum + b.Sum, a.Ends + b.Ends, a.Witnesses + b.Witnesses);
}
