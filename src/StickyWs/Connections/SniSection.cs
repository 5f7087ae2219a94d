using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace StickyWs.Connections;

/// <summary>
/// The options of an endpoint's section <c>Sni</c>, by server name. Kestrel's own selector answers, so its rules hold for names, wildcards and defaults;
/// it also tells the connection which versions of HTTP its name has. No application's code is called.
/// </summary>
internal sealed class SniSection
{
    private const string Selector = "Microsoft.AspNetCore.Server.Kestrel.Core.Internal.SniOptionsSelector, Microsoft.AspNetCore.Server.Kestrel.Core";

    private readonly TlsHandshakeCallbackOptions _options;

    private SniSection(TlsHandshakeCallbackOptions options) => _options = options;

    /// <summary>The endpoint's name in the configuration.</summary>
    public string EndpointName => NameOf(_options.OnConnectionState!);

    public TimeSpan HandshakeTimeout => _options.HandshakeTimeout;

    /// <summary>Whether the application's code changes what the section says.</summary>
    public bool IsChangedByCode => OnAuthenticate(_options.OnConnectionState!) is not null || CertificateSelector(_options.OnConnectionState!) is not null;

    /// <returns><see langword="null"/> if these options are a callback of the application's.</returns>
    /// <exception cref="MissingMemberException">Another Kestrel.</exception>
    public static SniSection? Of(TlsHandshakeCallbackOptions options)
        => options.OnConnectionState?.GetType().FullName == Selector.Split(',')[0] ? new SniSection(options) : null;

    /// <summary>The options for a name, the same object each time.</summary>
    /// <exception cref="AuthenticationException">There are none.</exception>
    public SslServerAuthenticationOptions Select(ConnectionContext connection, string? name, out bool isDelayed)
    {
        var context = new TlsHandshakeCallbackContext();
        SetState(context, _options.OnConnectionState);
        SetConnection(context, connection);
        SetClientHello(context, new SslClientHelloInfo(name ?? "", SslProtocols.None));
        var selecting = _options.OnConnection(context);
        isDelayed = context.AllowDelayedClientCertificateNegotation;
        return selecting.IsCompleted ? selecting.Result : throw new NotSupportedException("The selector of this Kestrel waits.");
    }

    /// <summary>When the first of the certificates for these names expires; <see langword="null"/> if none is known.</summary>
    public DateTime? FirstExpiry(IEnumerable<string> names)
    {
        try
        {
            return names.Min(name => Select(new DefaultConnectionContext(), name, out _).ServerCertificateContext?.TargetCertificate.NotAfter);
        }
        catch (AuthenticationException)
        {
            return null; // A name without options: its clients are told so.
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_State")]
    private static extern void SetState(TlsHandshakeCallbackContext context, object? state);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_Connection")]
    private static extern void SetConnection(TlsHandshakeCallbackContext context, ConnectionContext connection);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ClientHelloInfo")]
    private static extern void SetClientHello(TlsHandshakeCallbackContext context, SslClientHelloInfo hello);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_endpointName")]
    private static extern ref string NameOf([UnsafeAccessorType(Selector)] object selector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_onAuthenticateCallback")]
    private static extern ref Action<ConnectionContext, SslServerAuthenticationOptions>? OnAuthenticate([UnsafeAccessorType(Selector)] object selector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_fallbackServerCertificateSelector")]
    private static extern ref Func<ConnectionContext, string?, System.Security.Cryptography.X509Certificates.X509Certificate2?>? CertificateSelector(
        [UnsafeAccessorType(Selector)] object selector);
}
