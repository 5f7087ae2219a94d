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
            server backend {place.Backend}{(place.IsBackendTls ? " ssl verify none" : "")}

        """);
}
