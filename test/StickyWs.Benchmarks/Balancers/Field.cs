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
    /// <param name="haProxy">HAProxy's path, where it is not to be looked for.</param>
    /// <param name="nginx">nginx's path, likewise.</param>
    public static IReadOnlyList<Contestant> Choose(IReadOnlyList<string> keys, string? haProxy, string? nginx)
    {
        var all = AtHand(haProxy ?? Programs.Find("haproxy"), nginx ?? Programs.Find("nginx")).ToList();
        return keys is [] ? all : [.. keys.Select(key => all.Find(one => one.Key == key)
            ?? throw new ArgumentException($"'{key}' is unknown or not installed."))];
    }

    private static IEnumerable<Contestant> AtHand(string? haProxy, string? nginx)
    {
        if (HasReactors) yield return Ours(Contestant.Raw, "StickyWs io_uring", "Transport:RawLane=On", "Transport:Reactor=IoUring");
        if (HasReactors)
            yield return Ours(Contestant.Inline, "StickyWs io_uring, inline", "Transport:RawLane=On", "Transport:Reactor=IoUring",
                "Transport:UnsafePreferInlineScheduling=true");
        if (HasReactors) yield return Ours(Contestant.Epoll, "StickyWs epoll", "Transport:RawLane=On", "Transport:Reactor=Epoll");
        else if (HasLanes) yield return Ours(Contestant.Raw, "StickyWs raw", "Transport:RawLane=On");
        yield return Ours(Contestant.Portable, "StickyWs portable", HasLanes ? ["Transport:RawLane=Off"] : []);
        yield return new(Contestant.Yarp, "YARP", true, backend => Balancer.StartOursAsync("serve-yarp", backend));
        if (haProxy is not null)
        {
            yield return new(Contestant.HaProxy, "HAProxy", false, backend => HaProxy.StartAsync(haProxy, backend));
            yield return new(Contestant.HaProxySplice, "HAProxy splice", false, backend => HaProxy.StartAsync(haProxy, backend, "splice-auto"));
        }

        if (nginx is not null) yield return new(Contestant.Nginx, "nginx", false, backend => Nginx.StartAsync(nginx, backend));
    }

    private static Contestant Ours(string key, string name, params string[] settings)
        => new(key, name, true, backend => Balancer.StartOursAsync(["serve-stickyws", backend, .. settings]));
}
