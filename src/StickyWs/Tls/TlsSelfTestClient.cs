using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>OpenSSL's client, over the calling thread's workspace. Verifies no certificate: it talks to this process.</summary>
internal sealed unsafe class TlsSelfTestClient : IDisposable
{
    private readonly nint _ssl;

    /// <param name="configure">Gets the SSL_CTX, for tests.</param>
    public TlsSelfTestClient(Action<nint>? configure = null)
    {
        OpenSsl.ERR_clear_error();
        var context = OpenSsl.SSL_CTX_new(OpenSsl.TLS_client_method());
        if (context == 0) throw new CryptographicException("SSL_CTX_new: " + OpenSsl.TakeErrors());
        configure?.Invoke(context);
        _ssl = OpenSsl.SSL_new(context);
        OpenSsl.SSL_CTX_free(context); // The SSL object has a reference.
        if (_ssl == 0) throw new CryptographicException("SSL_new: " + OpenSsl.TakeErrors());
        SharedBio.Attach(_ssl);
        OpenSsl.SSL_set_connect_state(_ssl);
    }

    /// <summary>The SSL object.</summary>
    public nint Ssl => _ssl;

    public bool IsOpen { get; private set; }

    /// <summary>Takes what the server sent, and returns what it is to be sent.</summary>
    /// <exception cref="CryptographicException">The handshake or a record is refused.</exception>
    public byte[] Receive(ReadOnlySpan<byte> received, out byte[] plain)
    {
        var work = Start();
        work.Plain.Clear();
        fixed (byte* start = received)
        {
            work.Feed(start, received.Length);
            var result = IsOpen ? 1 : OpenSsl.SSL_do_handshake(_ssl);
            IsOpen = result == 1;
            while (IsOpen && (result = OpenSsl.SSL_read(_ssl, work.Plain.Reserve(RecordLayer.MostContent), RecordLayer.MostContent)) > 0)
            {
                work.Plain.Advance(result);
            }

            var isExpected = OpenSsl.SSL_get_error(_ssl, result) is OpenSsl.SSL_ERROR_WANT_READ or OpenSsl.SSL_ERROR_ZERO_RETURN;
            if (!isExpected) throw new CryptographicException(OpenSsl.TakeErrors());
        }

        plain = work.Plain.Written.ToArray();
        return work.ToPeer.Written.ToArray();
    }

    /// <summary>Records for these bytes.</summary>
    public byte[] Write(ReadOnlySpan<byte> plain)
    {
        var work = Start();
        fixed (byte* start = plain) _ = OpenSsl.SSL_write(_ssl, start, plain.Length);
        return work.ToPeer.Written.ToArray();
    }

    /// <summary>What SSL_renegotiate asked for, for tests.</summary>
    public byte[] Renegotiate()
    {
        var work = Start();
        _ = OpenSsl.SSL_do_handshake(_ssl);
        return work.ToPeer.Written.ToArray();
    }

    public void Dispose() => OpenSsl.SSL_free(_ssl);

    private static Workspace Start()
    {
        var work = Workspace.StartSealing();
        work.Feed(null, 0);
        OpenSsl.ERR_clear_error();
        return work;
    }
}
