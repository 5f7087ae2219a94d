using StickyWs.Configuration;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>Everybody who can take part on this machine, in the table's order. Another lane of ours is another line here.</summary>
internal static class Field
{
    // A build without lanes refuses settings for them, and has the portable one only.
    private static readonly bool HasLanes = typeof(StickyWsOptions).GetProperty("Transport") is not null;
    private static readonly bool HasReactors = typeof(StickyWsOptions).Assembly.GetType("StickyWs.Configuration.ReactorMode") is not null;

    /// <summary>All that are at hand, or those that were asked for.</summary>
    /// <param name="keys">Whom to take; none: all.</param>
    /// <param name="haProxy">The paths of HAProxy, of each version that takes part.</param>
    /// <param name="nginx">The paths of nginx, likewise.</param>
    public static IReadOnlyList<Contestant> Choose(IReadOnlyList<string> keys, IReadOnlyList<string> haProxy, IReadOnlyList<string> nginx)
    {
        var all = AtHand(haProxy, nginx).ToList();
        if (keys is []) return all;
        return [.. keys.Select(key => all.Find(one => one.Key == key) ?? throw new ArgumentException($"'{key}' is unknown or not installed."))];
    }

    private static IEnumerable<Contestant> AtHand(IReadOnlyList<string> haProxy, IReadOnlyList<string> nginx)
    {
        if (HasReactors) yield return Ours(Contestant.Raw, "StickyWs io_uring", "Transport:RawLane=On", "Transport:Reactor=IoUring");
        if (HasReactors)
            yield return Ours(Contestant.Inline, "StickyWs io_uring, inline", "Transport:RawLane=On", "Transport:Reactor=IoUring",
                "Transport:UnsafePreferInlineScheduling=true");
        if (HasReactors) yield return Ours(Contestant.Epoll, "StickyWs epoll", "Transport:RawLane=On", "Transport:Reactor=Epoll");
        else if (HasLanes) yield return Ours(Contestant.Raw, "StickyWs raw", "Transport:RawLane=On");
        yield return Ours(Contestant.Portable, "StickyWs portable", HasLanes ? ["Transport:RawLane=Off"] : []);
        yield return new(Contestant.Yarp, "YARP", true, backend => Balancer.StartOursAsync("serve-yarp", backend));
        for (var i = 0; i < haProxy.Count; i++)
        {
            var (path, name) = (haProxy[i], $"HAProxy {Programs.ShortVersion(haProxy[i])}");
            yield return new(Key(Contestant.HaProxy, i), name, false, backend => HaProxy.StartAsync(path, backend));
            yield return new(Key(Contestant.HaProxySplice, i), $"{name} splice", false, backend => HaProxy.StartAsync(path, backend, "splice-auto"));
        }

        for (var i = 0; i < nginx.Count; i++)
        {
            var path = nginx[i];
            yield return new(Key(Contestant.Nginx, i), $"nginx {Programs.ShortVersion(path)}", false, backend => Nginx.StartAsync(path, backend));
        }
    }

    // The targets are for the first version.
    private static string Key(string key, int place) => place == 0 ? key : $"{key}-{place + 1}";

    private static Contestant Ours(string key, string name, params string[] settings)
        => new(key, name, true, backend => Balancer.StartOursAsync(["serve-stickyws", backend, .. settings]));
}
