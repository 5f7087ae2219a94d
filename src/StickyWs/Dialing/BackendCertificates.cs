using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using StickyWs.Backends;
using StickyWs.Configuration;
using StickyWs.Tls;

namespace StickyWs.Dialing;

/// <summary>
/// Judges the certificates of backends in the raw lane as the runtime's SslStream does: the chain with the pool's trust, for a server, then the name.
/// A chain takes 0.3 to 0.5 ms, or the network (missing intermediates are downloaded), so it is built in the thread pool. A good verdict is remembered
/// for a minute, but not beyond the chain's own end, for the same options, name and certificates.
/// </summary>
internal sealed class BackendCertificates(TimeProvider time)
{
    private const int MostKnown = 256;

    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");
    private static readonly IdnMapping Idn = new();

    // Options are immutable once in effect. Judgements under way are here as well, so that a burst of tunnels builds one chain.
    private readonly ConditionalWeakTable<TlsOptions, Dictionary<string, Task<CertificateVerdict>>> _known = [];

    /// <summary>The name that is verified, and asked for by SNI (RFC 6066, section 3: in ASCII, without a trailing dot).</summary>
    /// <param name="tls">The pool's options.</param>
    /// <param name="address">The backend's address.</param>
    /// <param name="isAddress">Whether it is an IP address, which is not asked for.</param>
    public static string HostOf(TlsOptions tls, Uri address, out bool isAddress)
    {
        var host = BackendTls.HostOf(tls, address).TrimEnd('.');
        isAddress = IPAddress.TryParse(host, out _);
        if (isAddress) return host;
        try
        {
            return Idn.GetAscii(host);
        }
        catch (ArgumentException)
        {
            return host; // A name with an underscore, for instance, is no IDN.
        }
    }

    /// <summary>Completes in the thread pool, or at once.</summary>
    /// <param name="tls">The pool's options.</param>
    /// <param name="address">The backend's address.</param>
    /// <param name="sent">What the backend sent, in DER, its own certificate first.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="CryptographicException">The CA file cannot be read as PEM certificates.</exception>
    /// <exception cref="IOException">The CA file cannot be read.</exception>
    public ValueTask<CertificateVerdict> JudgeAsync(TlsOptions tls, Uri address, IReadOnlyList<byte[]> sent, CancellationToken cancellationToken)
    {
        if (tls.DangerousAcceptAnyCertificate) return new(CertificateVerdict.Good);
        var host = HostOf(tls, address, out _);
        var key = KeyOf(host, sent);
        var known = _known.GetValue(tls, static _ => []);
        Task<CertificateVerdict> judging;
        lock (known)
        {
            if (!known.TryGetValue(key, out judging!) || IsStale(judging))
            {
                if (known.Count >= MostKnown) known.Clear();
                known[key] = judging = Task.Run(() => Judge(BackendTls.For(tls, address), host, sent), CancellationToken.None);
            }
        }

        return judging.IsCompletedSuccessfully ? new(judging.Result) : new(judging.WaitAsync(cancellationToken));
    }

    private bool IsStale(Task<CertificateVerdict> judging)
        => judging.IsCompleted && !(judging.IsCompletedSuccessfully && judging.Result.IsGood && time.GetUtcNow() < judging.Result.GoodUntil);

    private CertificateVerdict Judge(SslClientAuthenticationOptions options, string host, IReadOnlyList<byte[]> sent)
    {
        if (sent.Count == 0) return new CertificateVerdict(SslPolicyErrors.RemoteCertificateNotAvailable);
        using var chain = new X509Chain
        {
            ChainPolicy = options.CertificateChainPolicy
                ?? new X509ChainPolicy { RevocationMode = options.CertificateRevocationCheckMode, RevocationFlag = X509RevocationFlag.ExcludeRoot },
        };
        if (chain.ChainPolicy.ApplicationPolicy.Count == 0) chain.ChainPolicy.ApplicationPolicy.Add(ServerAuthentication);
        try
        {
            foreach (var der in sent) chain.ChainPolicy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(der));
            return Judge(chain, chain.ChainPolicy.ExtraStore[0], host);
        }
        catch (CryptographicException e)
        {
            return new CertificateVerdict(SslPolicyErrors.RemoteCertificateChainErrors) { Fault = e };
        }
        finally
        {
            foreach (var element in chain.ChainElements) element.Certificate.Dispose();
            foreach (var certificate in chain.ChainPolicy.ExtraStore) certificate.Dispose();
        }
    }

    private CertificateVerdict Judge(X509Chain chain, X509Certificate2 certificate, string host)
    {
        var errors = chain.Build(certificate) ? SslPolicyErrors.None : SslPolicyErrors.RemoteCertificateChainErrors;
        if (!PeerCertificates.IsFor(certificate, host)) errors |= SslPolicyErrors.RemoteCertificateNameMismatch;
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, each) => all | each.Status);
        var until = time.GetUtcNow() + Memory;
        foreach (var element in chain.ChainElements)
        {
            if (element.Certificate.NotAfter.ToUniversalTime() is var end && end < until) until = end;
        }

        return new CertificateVerdict(errors, status, until);
    }

    private static string KeyOf(string host, IReadOnlyList<byte[]> sent)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var der in sent) hash.AppendData(der); // DER says its own length.
        return host + '/' + Convert.ToHexString(hash.GetHashAndReset());
    }
}
