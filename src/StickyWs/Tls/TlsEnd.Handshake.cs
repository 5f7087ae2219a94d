using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace StickyWs.Tls;

// OpenSSL's handshake, and what is taken over from it.
internal sealed unsafe partial class TlsEnd
{
    /// <summary>
    /// The most that a peer may send before the handshake is over: two ClientHellos (HelloRetryRequest) with all the extensions that fit, of 64 KiB each,
    /// and more. A usual one takes some 2 KiB without client certificates. OpenSSL bounds each message, 128 KiB of a hello and 100 KiB of certificates.
    /// </summary>
    public const int MostHandshakeBytes = 144 * 1024;

    // TLS 1.2 allows 2,048 bytes of expansion (RFC 5246, section 6.2.3).
    private const int MostForOpenSsl = RecordLayer.MostContent + 2048;

    private int _handshakeBytes;
    private bool _hasWritten;
    private X509Certificate2? _clientCertificate;

    private TlsServerContext? Context => _handshaking as TlsServerContext;

    /// <summary>Those of the context that the server's name selected.</summary>
    public IReadOnlyList<byte[]> ApplicationProtocols => Context?.ApplicationProtocols ?? [];

    /// <summary>Those of the context; <see langword="null"/> if OpenSSL has its own.</summary>
    public TicketKeys? TicketKeys => Context?.TicketKeys;

    /// <summary>Called by OpenSSL, within <see cref="Receive"/>.</summary>
    public void SelectContext(nint ssl, string? name)
    {
        if (Context?.Select?.Invoke(name) is not { } selected) return;
        selected.MoveHere(ssl);
        _handshaking = selected;
    }

    /// <summary>Called by OpenSSL, within <see cref="Receive"/>, with the certificates that the client has sent (an X509_STORE_CTX).</summary>
    public ClientCertificateVerdict JudgeClient(nint store)
    {
        if (Context?.Clients is not { } clients) return ClientCertificateVerdict.Rejected;
        var certificate = new X509Certificate2(OpenSsl.X509_STORE_CTX_get0_cert(store));
        var others = new X509Certificate2Collection();
        var sent = OpenSsl.X509_STORE_CTX_get0_untrusted(store);
        for (var i = 1; i < OpenSsl.OPENSSL_sk_num(sent); i++) others.Add(new X509Certificate2(OpenSsl.OPENSSL_sk_value(sent, i)));
        var verdict = clients.Judge(certificate, others);
        if (verdict == ClientCertificateVerdict.Accepted) _clientCertificate = certificate;
        return verdict;
    }

    /// <summary>Called by OpenSSL, within <see cref="Receive"/>: a traffic secret goes straight into the slab.</summary>
    public void TakeSecret(ReadOnlySpan<byte> secret, bool isClients)
    {
        if (_keys != null && secret.Length <= TrafficKeys.MostSecret) SetSecret(isClients == _isClient ? &_keys->Write : &_keys->Read, secret);
    }

    private void SetSecret(TrafficKeys* keys, ReadOnlySpan<byte> secret)
    {
        secret.CopyTo(new Span<byte>(keys->Secret, TrafficKeys.MostSecret));
        keys->SecretLength = (byte)secret.Length;
    }

    private void Handshake(Workspace work, ReadOnlySpan<byte> record)
    {
        _handshakeBytes += record.Length;
        if (_handshakeBytes > MostHandshakeBytes)
        {
            RefuseLongHandshake(work);
            return;
        }

        var before = work.ToPeer.Length;
        fixed (byte* start = record)
        {
            work.Feed(start, record.Length);
            work.End = this;
            OpenSsl.ERR_clear_error();
            var result = OpenSsl.SSL_do_handshake(_ssl);
            work.End = null;
            if (result == 1 && work.Fault is null) FinishHandshake(work, work.ToPeer.Written[before..]);
            else if (!IsWaiting(work, result, record, out var reason)) Fail("The handshake failed: " + reason);
            work.Feed(null, 0);
            _hasWritten |= work.ToPeer.Length > 0;
        }
    }

    // Whether OpenSSL waits for a further record; it must have taken all of this one.
    private bool IsWaiting(Workspace work, int result, ReadOnlySpan<byte> record, out string reason)
    {
        reason = "";
        if (work.Fault is { } fault)
        {
            reason = $"{fault.GetType().Name}: {fault.Message}";
            work.Fault = null;
            return false;
        }

        var error = OpenSsl.SSL_get_error(_ssl, result);
        if (error == OpenSsl.SSL_ERROR_WANT_READ)
        {
            reason = "these bytes are not TLS";
            return work.InputLength == 0 && (record.IsEmpty || !IsRefused(record));
        }

        reason = error == OpenSsl.SSL_ERROR_ZERO_RETURN ? "the peer closed" : OpenSsl.TakeErrors();
        return false;
    }

    // OpenSSL has no call that sends an alert. Before anything was sent it needs no keys; later the client learns of it by the end of the connection.
    private void RefuseLongHandshake(Workspace work)
    {
        if (!_hasWritten && work.ToPeer.Length == 0) work.ToPeer.Write(PlainAlert.Of(TlsAlert.handshake_failure));
        Fail($"The handshake is longer than {MostHandshakeBytes} bytes.");
    }

    private void FinishHandshake(Workspace work, ReadOnlySpan<byte> lastWritten)
    {
        var suite = (TlsCipherSuite)OpenSsl.SSL_CIPHER_get_protocol_id(OpenSsl.SSL_get_current_cipher(_ssl));
        _facts = new TlsFacts(OpenSsl.SSL_version(_ssl) == OpenSsl.TLS1_3_VERSION ? SslProtocols.Tls13 : SslProtocols.Tls12, suite,
            ApplicationProtocol(), HandshakeCallbacks.ServerName(_ssl), OpenSsl.SSL_session_reused(_ssl) == 1)
        {
            ClientCertificate = _clientCertificate,
        };
        _clientCertificate = null;
        try
        {
            if (_isClient) _facts = _facts with { PeerCertificates = PeerCertificates.Of(_ssl) };
            if (CanTakeOver(work, RecordSuite.Of(suite), lastWritten, out var written)) TakeOver(RecordSuite.Of(suite), written);
            else ReturnKeys();
        }
        catch (CryptographicException e)
        {
            Fail("The handshake's keys: " + e.Message);
            return;
        }

        Status = TlsStatus.Open;
        if (!_isClient) _handshaking = null;
    }

    private SslApplicationProtocol ApplicationProtocol()
    {
        byte* name;
        uint length;
        OpenSsl.SSL_get0_alpn_selected(_ssl, &name, &length);
        var chosen = new ReadOnlySpan<byte>(name, (int)length);
        return chosen.SequenceEqual(SslApplicationProtocol.Http11.Protocol.Span) ? SslApplicationProtocol.Http11
            : chosen.SequenceEqual(SslApplicationProtocol.Http2.Protocol.Span) ? SslApplicationProtocol.Http2
            : length == 0 ? default : new SslApplicationProtocol(chosen.ToArray());
    }

    // A name that OpenSSL refuses is not sent; the runtime's SslStream does not fail for it either.
    private void AskFor(string serverName)
    {
        OpenSsl.ERR_clear_error();
        fixed (byte* name = Encoding.ASCII.GetBytes(serverName + '\0'))
        {
            _ = OpenSsl.SSL_ctrl(_ssl, OpenSsl.SSL_CTRL_SET_TLSEXT_HOSTNAME, OpenSsl.TLSEXT_NAMETYPE_host_name, name);
        }
    }

    // OpenSSL must hold no byte of the application's, and both secrets must be known. What a server's last call wrote stands behind its Finished: it must
    // be session tickets, each under the application key, and each with a number. What a client's last call wrote ends with its Finished.
    private bool CanTakeOver(Workspace work, RecordSuite suite, ReadOnlySpan<byte> lastWritten, out ulong written)
    {
        written = 0;
        if (_keys == null || Context is { HasOwnRecords: false } || suite.Cipher == 0) return false;
        if (OpenSsl.SSL_version(_ssl) != OpenSsl.TLS1_3_VERSION || work.InputLength > 0 || OpenSsl.SSL_has_pending(_ssl) != 0) return false;
        if (_keys->Read.SecretLength != suite.SecretLength || _keys->Write.SecretLength != suite.SecretLength) return false;
        for (; !_isClient && !lastWritten.IsEmpty; written++)
        {
            if (lastWritten.Length < RecordLayer.HeaderLength || lastWritten[0] != (byte)RecordType.ApplicationData) return false;
            var length = RecordLayer.HeaderLength + Announced(lastWritten);
            if (lastWritten.Length < length) return false;
            lastWritten = lastWritten[length..];
        }

        return true;
    }

    private void TakeOver(RecordSuite suite, ulong written)
    {
        // RFC 6066, section 4: 1 to 4 are 512 to 4,096 bytes.
        var code = OpenSsl.SSL_SESSION_get_max_fragment_length(OpenSsl.SSL_get_session(_ssl));
        StartOwnRecords(suite, code is >= 1 and <= 4 ? 256 << code : RecordLayer.MostContent);
        _keys->Write.Sequence = written;
        if (Sessions is { } sessions)
        {
            sessions.Listen(_ssl);
        }
        else
        {
            OpenSsl.SSL_set_shutdown(_ssl, OpenSsl.SSL_SENT_SHUTDOWN | OpenSsl.SSL_RECEIVED_SHUTDOWN);
            OpenSsl.SSL_free(_ssl);
        }

        _ssl = 0;
    }
}
