using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>Everybody who can take part on this machine, in the table's order. Another lane of ours is another line here.</summary>
internal static class Field
{
    /// <summary>All that are at hand, or those that were asked for.</summary>
    /// <param name="keys">Whom to take; none: all.</param>
    /// <param name="haProxy">The paths of HAProxy, of each version that takes part.</param>
    /// <param name="nginx">The paths of nginx, likewise.</param>
    /// <param name="gateway">The path of <c>examples/Gateway</c>, published as native code.</param>
    public static IReadOnlyList<Contestant> Choose(IReadOnlyList<string> keys, IReadOnlyList<string> haProxy, IReadOnlyList<string> nginx, string? gateway)
    {
        var all = AtHand(haProxy, nginx, gateway).ToList();
        if (keys is []) return all;
        return [.. keys.Select(key => all.Find(one => one.Key == key) ?? throw new ArgumentException($"'{key}' is unknown or not installed."))];
    }

    private static IEnumerable<Contestant> AtHand(IReadOnlyList<string> haProxy, IReadOnlyList<string> nginx, string? gateway)
    {
        yield return Ours(Contestant.Raw, "StickyWs io_uring", Part.All, "RawLane=On", "Reactor=IoUring", "Tls=Auto");
        yield return Ours(Contestant.Inline, "StickyWs io_uring, inline", Part.WithoutTls, "RawLane=On", "Reactor=IoUring",
            "UnsafePreferInlineScheduling=true");
        yield return Ours(Contestant.Epoll, "StickyWs epoll", Part.All, "RawLane=On", "Reactor=Epoll", "Tls=Auto");
        yield return new(Contestant.Frameless, "StickyWs io_uring, frames not followed", true, Part.WithoutTls,
            place => StartOursAsync(place, "Transport:RawLane=On", "Transport:Reactor=IoUring", "Pools:pool:Tunnels:FollowFrames=false"));
        yield return new(Contestant.Direct, "StickyWs io_uring, direct", true, Part.All,
            place => StartOursAsync(place, "Transport:RawLane=On", "Transport:Reactor=IoUring", "Transport:Tls=Auto", "Pools:pool:Http=Direct"));
        if (gateway is not null)
            yield return new(Contestant.Gateway, "StickyWs io_uring, native", false, Part.All, place => Gateway.StartAsync(gateway, place));
        yield return Seen(Contestant.Dashboard, "StickyWs io_uring, dashboard", StartSeenAsync);
        yield return Seen(Contestant.Watched, "StickyWs io_uring, dashboard watched", async place =>
        {
            var balancer = await StartSeenAsync(place);
            await balancer.AccompanyAsync("watch");
            return balancer;
        });
        yield return Seen(Contestant.Logged, "StickyWs io_uring, access lines", place => StartRawAsync("serve-logged", place));
        yield return Ours(Contestant.Kept, "StickyWs io_uring, OpenSSL's records", Part.WithTls, "RawLane=On", "Reactor=IoUring", "Tls=OpenSsl");
        yield return Ours(Contestant.SslStream, "StickyWs SslStream", Part.WithTls, "RawLane=On", "Reactor=IoUring", "Tls=SslStream");
        yield return Ours(Contestant.Portable, "StickyWs portable", Part.WithoutTls, "RawLane=Off");
        yield return new(Contestant.Yarp, "YARP", true, Part.All, place => Balancer.StartOursAsync(["serve-yarp", .. place.Arguments]));
        for (var i = 0; i < haProxy.Count; i++)
        {
            var (path, name) = (haProxy[i], $"HAProxy {Programs.ShortVersion(haProxy[i])}");
            yield return new(Key(Contestant.HaProxy, i), name, false, PartOf(HaProxy.HasTls(path)), place => HaProxy.StartAsync(path, place));
            yield return new(Key(Contestant.HaProxySplice, i), $"{name} splice", false, Part.WithoutTls,
                place => HaProxy.StartAsync(path, place, "splice-auto"));
        }

        for (var i = 0; i < nginx.Count; i++)
        {
            var (path, name) = (nginx[i], $"nginx {Programs.ShortVersion(nginx[i])}");
            yield return new(Key(Contestant.Nginx, i), name, false, PartOf(Nginx.HasTls(path)), place => Nginx.StartAsync(path, place));
        }
    }

    private static Contestant Seen(string key, string name, Func<Place, Task<Balancer>> startAsync) => new(key, name, true, Part.Seen, startAsync);

    private static Task<Balancer> StartSeenAsync(Place place) => StartRawAsync("serve-dashboard", place);

    private static Task<Balancer> StartRawAsync(string role, Place place)
        => Balancer.StartOursAsync([role, .. place.Arguments, "Transport:RawLane=On", "Transport:Reactor=IoUring", "Transport:Tls=Auto"]);

    // The targets are for the first version.
    private static string Key(string key, int place) => place == 0 ? key : $"{key}-{place + 1}";

    private static Part PartOf(bool hasTls) => hasTls ? Part.All : Part.WithoutTls;

    private static Contestant Ours(string key, string name, Part part, params string[] settings) => new(key, name, true, part,
        place => StartOursAsync(place, [.. settings.Select(setting => $"Transport:{setting}")]));

    private static Task<Balancer> StartOursAsync(Place place, params string[] settings)
        => Balancer.StartOursAsync(["serve-stickyws", .. place.Arguments, .. settings, .. Limits(place)]);

    /// <summary>What a place asks of StickyWs beyond the usual, as keys and values.</summary>
    public static IEnumerable<string> Limits(Place place)
    {
        if (!place.FollowsFrames) yield return "Pools:pool:Tunnels:FollowFrames=false";
        if (place.MaxHandshakes == 0) yield break;
        for (var i = 0; i < place.Backends.Count; i++)
            yield return string.Create(CultureInfo.InvariantCulture, $"Pools:pool:Backends:backend{i}:MaxHandshakes={place.MaxHandshakes}");
        yield return "Pools:pool:Queue:Length=10000";
        yield return "Pools:pool:Queue:Timeout=00:00:30";
    }
}
