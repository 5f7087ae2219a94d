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
    public void Died(IPAddress? client, TimeSpan window)
    {
        lock (_lock)
        {
            if (FateOf(client, window) is { } fate) (fate.Died, fate.Client) = (fate.Died + 1, client);
        }
    }

    public Mortality Read(TimeSpan window)
    {
        lock (_lock)
        {
            Turn(window);
            var (clients, sum, ends) = (0, 0.0, 0);
            List<IPAddress?> witnesses = [];
            foreach (var key in _now.Keys.Concat(_before.Keys.Where(key => !_now.ContainsKey(key))))
            {
                var (now, before) = (_now.GetValueOrDefault(key), _before.GetValueOrDefault(key));
                var died = (now?.Died ?? 0) + (before?.Died ?? 0);
                var opened = Math.Max(died, (now?.Opened ?? 0) + (before?.Opened ?? 0)); // It may have opened before the window did.
                if (opened == 0) continue;
                clients++;
                sum += (double)died / opened;
                ends += died;
                if (died > 0) witnesses.Add(now is { Died: > 0 } ? now.Client : before!.Client);
            }

            return new Mortality(clients, sum, ends, witnesses);
        }
    }

    /// <summary>It was suspected: what was seen has had its effect.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _now.Clear();
            _before.Clear();
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
        if (passed >= window) _before.Clear();
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
/// <param name="Witnesses">The clients that had one of these.</param>
internal readonly record struct Mortality(int Clients, double Sum, int Ends, IReadOnlyList<IPAddress?> Witnesses)
{
    /// <summary>The mean over clients of the part of their tunnels that died young, 0 to 1.</summary>
    public double Share => Clients == 0 ? 0 : Sum / Clients;

    public static Mortality operator +(Mortality a, Mortality b)
        => new(a.Clients + b.Clients, a.Sum + b.Sum, a.Ends + b.Ends, [.. a.Witnesses ?? [], .. b.Witnesses ?? []]);
}
