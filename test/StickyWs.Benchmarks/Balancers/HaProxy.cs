using System.Globalization;

namespace StickyWs.Benchmarks.Balancers;

/// <summary>HAProxy with one thread.</summary>
internal static class HaProxy
{
    // Two files each; a pipe for each direction of the few tunnels that are busy with long runs of bytes.
    private const int Pipes = 64;

    // A tunnel takes two files as well, and HAProxy refuses to start when it is promised more than it may open.
    private static int Connections => Math.Min(10_000, (OpenFiles.Limit - (2 * Pipes) - 200) / 2);

    /// <summary>Whether it was built with TLS.</summary>
    public static bool HasTls(string program) => Programs.Says(program, "-vv").Contains("+OPENSSL", StringComparison.Ordinal);

    public static Task<Balancer> StartAsync(string program, Place place, params string[] options)
        => Balancer.StartServerAsync(place, (_, port) => Configuration(port, place, options), program, "-db", "-f");

    // Time limits are out of the way, but for the first: splice-auto thinks again only when a stream's task wakes, and in a tunnel that is always busy
    // nothing wakes it until the time limit of its connect has passed. All that is measured comes later.
    private static string Configuration(int port, Place place, string[] options) => string.Create(CultureInfo.InvariantCulture, $"""
        global
            nbthread 1
            maxpipes {Pipes}
            maxconn {Connections}
        defaults
            mode http
            option http-keep-alive
            timeout connect 1s
            timeout client 1h
            timeout server 1h
            timeout tunnel 1h
            timeout http-request 1h
            timeout http-keep-alive 1h
        {string.Concat(options.Select(option => $"    option {option}\n"))}
        listen balancer
            bind 127.0.0.1:{port} backlog 4096{(place.Certificate is { } file ? $" ssl crt {file} alpn http/1.1" : "")}
            maxconn {Connections}
        {string.Concat(Servers(place).Select(line => $"    {line}\n"))}

        """);

    // Several: the least connections are next, a server that refuses is down at once and another one is tried. A server's maxconn holds tunnels as well as
    // handshakes, so with its queue it can only limit their sum: it has room for all tunnels when one server is gone.
    private static IEnumerable<string> Servers(Place place)
    {
        var suffix = place.IsBackendTls ? " ssl verify none" : "";
        if (place.Others is []) return [$"server backend {place.Backend}{suffix}"];
        var room = string.Create(CultureInfo.InvariantCulture, $"maxconn {(Connections / (place.Backends.Count - 1)) + 1}");
        return
        [
            "balance leastconn", "option redispatch 1", "retries 3", "retry-on conn-failure empty-response", "timeout queue 30s",
            .. place.Backends.Index().Select(one
                => $"server backend{one.Index} {one.Item} {room} check inter 1s observe layer4 error-limit 1 on-error mark-down{suffix}"),
        ];
    }
}
