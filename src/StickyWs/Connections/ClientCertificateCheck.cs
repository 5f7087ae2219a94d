using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using StickyWs.Tls;

namespace StickyWs.Connections;

/// <summary>
/// Judges client certificates as SslStream does for a server: a chain to a trusted root, for the authentication of clients, with revocation if that is
/// asked for; then the application's callback decides.
/// </summary>
internal sealed class ClientCertificateCheck
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    // From here on SslStream does not download missing issuers for clients, unless a chain policy asks for it (dotnet/runtime #125049).
    private const int RuntimeWithoutDownloads = 11;

    private readonly X509RevocationMode _revocation;
    private readonly X509ChainPolicy? _policy;
    private readonly Func<X509Certificate2, X509Chain, SslPolicyErrors, bool> _accept;

    private ClientCertificateCheck(
        X509RevocationMode revocation, X509ChainPolicy? policy, Func<X509Certificate2, X509Chain, SslPolicyErrors, bool> accept)
        => (_revocation, _policy, _accept) = (revocation, policy, accept);

    /// <returns><see langword="null"/> if clients are not asked.</returns>
    public static TlsClientCertificates? Of(HttpsConnectionAdapterOptions options)
    {
        if (options.ClientCertificateMode == ClientCertificateMode.NoCertificate) return null;
        var check = new ClientCertificateCheck(
            options.CheckCertificateRevocation ? X509RevocationMode.Online : X509RevocationMode.NoCheck, null,
            (certificate, chain, errors) => options.ClientCertificateValidation is { } validate
                ? validate(certificate, chain, errors)
                : errors == SslPolicyErrors.None);
        return new TlsClientCertificates(options.ClientCertificateMode == ClientCertificateMode.RequireCertificate, check.Judge);
    }

    /// <returns><see langword="null"/> if clients are not asked.</returns>
    public static TlsClientCertificates? Of(SslServerAuthenticationOptions options)
    {
        if (!options.ClientCertificateRequired) return null;
        var callback = options.RemoteCertificateValidationCallback;
        var check = new ClientCertificateCheck(
            options.CertificateRevocationCheckMode, options.CertificateChainPolicy,
            (certificate, chain, errors) => callback is null ? errors == SslPolicyErrors.None : callback(options, certificate, chain, errors));
        var mayBeMissing = callback?.Invoke(options, null, null, SslPolicyErrors.RemoteCertificateNotAvailable) == true;
        return new TlsClientCertificates(!mayBeMissing, check.Judge);
    }

    private ClientCertificateVerdict Judge(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        using var chain = new X509Chain();
        if (_policy is not null)
        {
            chain.ChainPolicy = _policy.Clone();
        }
        else
        {
            chain.ChainPolicy.RevocationMode = _revocation;
            chain.ChainPolicy.RevocationFlag = X509RevocationFlag.ExcludeRoot;
            chain.ChainPolicy.DisableCertificateDownloads = Environment.Version.Major >= RuntimeWithoutDownloads;
        }

        if (chain.ChainPolicy.ApplicationPolicy.Count == 0) chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        chain.ChainPolicy.ExtraStore.AddRange(others);
        var errors = chain.Build(certificate) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors;
        return _accept(certificate, chain, errors) ? ClientCertificateVerdict.Accepted : Reason(chain);
    }

    private static ClientCertificateVerdict Reason(X509Chain chain)
    {
        var all = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, status) => all | status.Status);
        if (all.HasFlag(X509ChainStatusFlags.Revoked)) return ClientCertificateVerdict.Revoked;
        if (all.HasFlag(X509ChainStatusFlags.NotTimeValid)) return ClientCertificateVerdict.Expired;
        if (all.HasFlag(X509ChainStatusFlags.NotValidForUsage)) return ClientCertificateVerdict.WrongPurpose;
        var isUnknown = (all & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0;
        return isUnknown ? ClientCertificateVerdict.UnknownAuthority : ClientCertificateVerdict.Rejected;
    }
}
