using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyWs.Tls;

namespace StickyWs.Dialing;

/// <summary>What was found of a backend's certificates.</summary>
/// <param name="Errors">What is wrong with them.</param>
/// <param name="ChainStatus">What is wrong with their chain.</param>
/// <param name="GoodUntil">Until when a good verdict holds.</param>
internal sealed record CertificateVerdict(SslPolicyErrors Errors, X509ChainStatusFlags ChainStatus = default, DateTimeOffset GoodUntil = default)
{
    public static CertificateVerdict Good { get; } = new(SslPolicyErrors.None);

    public bool IsGood => Errors == SslPolicyErrors.None;

    /// <summary>Why they could not be looked at.</summary>
    public CryptographicException? Fault { get; init; }

    /// <summary>What the backend is told, as by the runtime.</summary>
    public TlsAlert Alert => ChainStatus switch
    {
        _ when (ChainStatus & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0 => TlsAlert.unknown_ca,
        _ when (ChainStatus & X509ChainStatusFlags.Revoked) != 0 => TlsAlert.certificate_revoked,
        _ when (ChainStatus & X509ChainStatusFlags.NotTimeValid) != 0 => TlsAlert.certificate_expired,
        X509ChainStatusFlags.NoError => TlsAlert.bad_certificate,
        _ => TlsAlert.certificate_unknown,
    };

    /// <summary>The failure of a connection with them, in the words of the runtime.</summary>
    public AuthenticationException ToException() => new(
        Errors == SslPolicyErrors.RemoteCertificateChainErrors && ChainStatus != X509ChainStatusFlags.NoError
            ? $"The remote certificate is invalid because of errors in the certificate chain: {ChainStatus}"
            : $"The remote certificate is invalid according to the validation procedure: {Errors}",
        Fault);
}
