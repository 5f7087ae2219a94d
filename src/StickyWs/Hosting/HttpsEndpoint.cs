using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StickyWs.Configuration;
using StickyWs.Connections;
using StickyWs.Observability;
using StickyWs.Tls;
using StickyWs.Transport;

namespace StickyWs.Hosting;

/// <summary>
/// Decides for an https endpoint of Kestrel whether its TLS ends in the raw lane. Everything is as the application has configured it; what cannot be
/// done there stays with Kestrel, and one line says why.
/// </summary>
internal static partial class HttpsEndpoint
{
    // A listener may have two sniffers, outside of its TLS and inside.
    private static readonly ConditionalWeakTable<ListenOptions, StrongBox<EndpointTls>> Known = [];

    /// <summary>What a listener's connections have to do with TLS. Decided, and said, once per listener: when its connections' pipeline is built.</summary>
    public static EndpointTls Of(ListenOptions listen) => Known.GetValue(listen, static listen => new StrongBox<EndpointTls>(Decide(listen))).Value;

    private static EndpointTls Decide(ListenOptions listen)
    {
        bool? isSpoken = null;
        try
        {
            isSpoken = IsTls(listen);
            if (isSpoken.Value && ExpiryOf(listen) is { } expires) listen.ApplicationServices.GetService<CertificateMetrics>()?.Note(listen, expires);
            return isSpoken.Value ? new EndpointTls(isSpoken.Value, TerminationOf(listen)) : default;
        }
        catch (MissingMemberException)
        {
            // Another Kestrel; if it hides even this, each connection shows whether there is TLS at all.
            var obstacle = isSpoken is null ? "this version of Kestrel does not say whether there is any" : "this version of Kestrel hides its options";
            if (ModeOf(listen) != TlsMode.SslStream) LogKestrel(LoggerOf(listen), listen.ToString(), obstacle);
            return new EndpointTls(isSpoken ?? false, null);
        }
    }

    private static TlsMode ModeOf(ListenOptions listen)
        => listen.ApplicationServices.GetRequiredService<IOptionsMonitor<StickyWsOptions>>().CurrentValue.Transport.Tls;

    private static ILogger LoggerOf(ListenOptions listen)
        => listen.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(HttpsEndpoint).FullName!);

    private static TlsTermination? TerminationOf(ListenOptions listen)
    {
        var services = listen.ApplicationServices;
        var logger = LoggerOf(listen);
        var mode = ModeOf(listen);
        if (mode == TlsMode.SslStream) return null;
        if (Obstacle(listen) is { } obstacle)
        {
            LogKestrel(logger, listen.ToString(), obstacle);
            return null;
        }

        try
        {
            var tickets = services.GetRequiredService<SharedTicketKeys>().Keys;
            var termination = TerminationOf(listen, keepsSsl: mode == TlsMode.OpenSsl, tickets);
            LogRaw(logger, listen.ToString(), mode == TlsMode.OpenSsl ? "OpenSSL" : "the balancer");
            return termination;
        }
        catch (Exception e) when (e is CryptographicException or TlsUnavailableException or AuthenticationException)
        {
            LogKestrel(logger, listen.ToString(), e.Message);
            return null;
        }
    }

    // Of the certificates that are known before a client comes: the first to expire.
    private static DateTime? ExpiryOf(ListenOptions listen)
    {
        if (HttpsCallbackOptions(listen) is not { } callback) return HttpsOptions(listen)?.ServerCertificate?.NotAfter;
        return SniSection.Of(callback) is { IsChangedByCode: false } section ? section.FirstExpiry(NamesOf(listen, section)) : null;
    }

    private static IEnumerable<string> NamesOf(ListenOptions listen, SniSection section)
    {
        var configuration = listen.KestrelServerOptions.ConfigurationLoader!.Configuration;
        string[] names = [.. configuration.GetSection($"Endpoints:{section.EndpointName}:Sni").GetChildren().Select(name => name.Key)];
        return names.Select(name => Example(name, names));
    }

    private static TlsTermination TerminationOf(ListenOptions listen, bool keepsSsl, TicketKeys tickets)
    {
        var metrics = listen.ApplicationServices.GetRequiredService<StickyWsMetrics>();
        if (HttpsCallbackOptions(listen) is not { } callback)
        {
            return new TlsTermination(HttpsOptions(listen)!, listen.Protocols, keepsSsl, tickets) { Metrics = metrics };
        }

        var section = SniSection.Of(callback)!;
        return new TlsTermination(section, NamesOf(listen, section), keepsSsl, tickets) { Metrics = metrics };
    }

    // A name that a wildcard fits, and no other entry.
    private static string Example(string name, string[] others)
    {
        if (name == "*") return "";
        if (!name.StartsWith("*.", StringComparison.Ordinal)) return name;
        var example = "x" + name[1..];
        while (others.Contains(example, StringComparer.OrdinalIgnoreCase)) example = "x" + example;
        return example;
    }

    private static string? Obstacle(ListenOptions listen)
    {
        if (HttpsCallbackOptions(listen) is { } callback)
        {
            if (SniSection.Of(callback) is not { } section) return "it has a callback for its options, which is given the SslStream";
            if (section.IsChangedByCode) return "it has a section for SNI, and code that changes what that says";
            return FirstRefusal(listen.ApplicationServices);
        }

        var https = HttpsOptions(listen);
        if (https is null) return "this version of Kestrel hides its options";
        if (https.OnAuthenticate is not null) return "it sets OnAuthenticate";
        if (https.ClientCertificateMode == ClientCertificateMode.DelayCertificate) return "it asks for client certificates later (DelayCertificate)";
#pragma warning disable CS0618 // Obsolete, and still in use.
        if (https.TlsClientHelloBytesCallback is not null) return "it sets TlsClientHelloBytesCallback";
#pragma warning restore CS0618
        return FirstRefusal(listen.ApplicationServices);
    }

    private static string? FirstRefusal(IServiceProvider services)
    {
        if (!OperatingSystem.IsLinux()) return "the raw lane needs Linux";
        return services.GetService<RawLane>()?.Reactors is null ? "the raw lane is off" : TlsSupport.FirstRefusal();
    }

    // Kestrel does not tell otherwise what UseHttps was called with. Checked by tests; a version without them leaves TLS to Kestrel.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_IsTls")]
    private static extern bool IsTls(ListenOptions listen);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_HttpsOptions")]
    private static extern HttpsConnectionAdapterOptions? HttpsOptions(ListenOptions listen);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_HttpsCallbackOptions")]
    private static extern TlsHandshakeCallbackOptions? HttpsCallbackOptions(ListenOptions listen);

    [LoggerMessage(EventIds.TlsInRawLane, LogLevel.Information,
        "{EndPoint}: TLS ends in the raw lane, with the records of {Records} after the handshake; WebSockets pass no middleware of the application there"
            + " (Transport:Tls, or a pool's WebSockets: Pipeline)",
        EventName = "TlsInRawLane")]
    private static partial void LogRaw(ILogger logger, string? endPoint, string records);

    [LoggerMessage(EventIds.TlsInKestrel, LogLevel.Information, "{EndPoint}: TLS ends in Kestrel, not in the raw lane: {Obstacle}", EventName = "TlsInKestrel")]
    private static partial void LogKestrel(ILogger logger, string? endPoint, string obstacle);
}
