using System.Net.Security;
using StickyWs.Benchmarks.Native;
using StickyWs.Tls;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>
/// One end of a TLS connection, without a socket: bytes in, bytes out. All of it is OpenSSL's, so that the balancer's own records are not measured by
/// themselves. What a call returns is valid until this thread's next call.
/// </summary>
internal sealed unsafe class TlsSession(nint ssl) : IDisposable
{
    private const TlsCipherSuite Suite = TlsCipherSuite.TLS_AES_256_GCM_SHA384;

    /// <summary>Whether the handshake is over.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>A client's first flight.</summary>
    public ReadOnlySpan<byte> Start()
    {
        Receive([], out var toPeer);
        return toPeer;
    }

    /// <summary>Takes records and returns what is in them.</summary>
    /// <exception cref="IOException">The handshake or a record is refused, or they agreed on another suite than all the others.</exception>
    public ReadOnlySpan<byte> Receive(ReadOnlySpan<byte> records, out ReadOnlySpan<byte> toPeer)
    {
        var work = Workspace.StartReceiving();
        fixed (byte* start = records)
        {
            work.Feed(start, records.Length);
            OpenSsl.ERR_clear_error();
            var result = IsOpen ? 1 : OpenSsl.SSL_do_handshake(ssl);
            if (!IsOpen && result == 1) Open();
            while (IsOpen && (result = OpenSsl.SSL_read(ssl, work.Plain.Reserve(RecordLayer.MostContent), RecordLayer.MostContent)) > 0)
            {
                work.Plain.Advance(result);
            }

            var isExpected = OpenSsl.SSL_get_error(ssl, result) is OpenSsl.SSL_ERROR_WANT_READ or OpenSsl.SSL_ERROR_ZERO_RETURN;
            if (!isExpected) throw new IOException("TLS: " + OpenSsl.TakeErrors());
            work.Feed(null, 0);
        }

        toPeer = work.ToPeer.Written;
        return work.Plain.Written;
    }

    /// <summary>Records for all of these bytes. What was received stays.</summary>
    public ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> plain)
    {
        var work = StartSealing();
        fixed (byte* start = plain)
        {
            // OpenSSL writes a record at a time.
            for (var written = 0; written < plain.Length;)
            {
                var result = OpenSsl.SSL_write(ssl, start + written, plain.Length - written);
                if (result <= 0) throw new IOException("TLS: " + OpenSsl.TakeErrors());
                written += result;
            }
        }

        return work.ToPeer.Written;
    }

    /// <summary>The close_notify; nothing before the handshake is over.</summary>
    public ReadOnlySpan<byte> Close()
    {
        if (!IsOpen) return [];
        var work = StartSealing();
        _ = OpenSsl.SSL_shutdown(ssl); // 0 or 1; the second time it writes nothing.
        return work.ToPeer.Written;
    }

    /// <summary>The session to resume; of TLS 1.3, it is there with the first bytes from the server. The caller frees it.</summary>
    public nint TakeSession() => OpenSslSessions.SSL_get1_session(ssl);

    /// <summary>Whether a session was resumed.</summary>
    public bool IsResumed => OpenSsl.SSL_session_reused(ssl) == 1;

    public void Dispose() => OpenSsl.SSL_free(ssl);

    private void Open()
    {
        IsOpen = true;
        var (version, suite) = (OpenSsl.SSL_version(ssl), (TlsCipherSuite)OpenSsl.SSL_CIPHER_get_protocol_id(OpenSsl.SSL_get_current_cipher(ssl)));
        if (version != OpenSsl.TLS1_3_VERSION || suite != Suite) throw new IOException($"TLS: version {version:x} with {suite} instead of 1.3 with {Suite}.");
    }

    private static Workspace StartSealing()
    {
        var work = Workspace.StartSealing();
        work.Feed(null, 0);
        OpenSsl.ERR_clear_error();
        return work;
    }
}
