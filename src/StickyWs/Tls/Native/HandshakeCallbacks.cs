using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;

namespace StickyWs.Tls;

/// <summary>
/// What OpenSSL asks during a handshake. The connection is the one that the thread's workspace names. No exception leaves a callback: it becomes the
/// workspace's fault, and fails the handshake.
/// </summary>
internal static unsafe class HandshakeCallbacks
{
    public static void Register(nint context, TlsServerSettings settings)
    {
        if (settings is { KeepsSsl: false, LogsSecrets: true }) OpenSsl.SSL_CTX_set_keylog_callback(context, &OnSecret);
        if (settings.ApplicationProtocols.Count > 0) OpenSsl.SSL_CTX_set_alpn_select_cb(context, &OnApplicationProtocols, null);
        if (settings.ClientCertificates is not null) OpenSsl.SSL_CTX_set_cert_verify_callback(context, &OnClientCertificate, null);
        if (settings.Select is null) return;
        OpenSsl.SSL_CTX_set_client_hello_cb(context, &OnClientHello, null);
        delegate* unmanaged[Cdecl]<nint, int*, void*, int> onServerName = &OnServerName;
        _ = OpenSsl.SSL_CTX_callback_ctrl(context, OpenSsl.SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, onServerName);
    }

    /// <summary>The callbacks of a client, which accepts every certificate for now.</summary>
    public static void RegisterClient(nint context, TlsClientSettings settings)
    {
        if (settings is { KeepsSsl: false, LogsSecrets: true }) OpenSsl.SSL_CTX_set_keylog_callback(context, &OnSecret);
        OpenSsl.SSL_CTX_set_cert_verify_callback(context, &OnCertificates, null);
    }

    /// <summary>Of a client, which is given each session that its server lets it resume. OpenSSL itself keeps none.</summary>
    public static void RegisterSessions(nint context)
    {
        _ = OpenSsl.SSL_CTX_ctrl(context, OpenSsl.SSL_CTRL_SET_SESS_CACHE_MODE,
            OpenSsl.SSL_SESS_CACHE_CLIENT | OpenSsl.SSL_SESS_CACHE_NO_INTERNAL | OpenSsl.SSL_SESS_CACHE_NO_AUTO_CLEAR, null);
        OpenSsl.SSL_CTX_sess_set_new_cb(context, &OnSession);
    }

    /// <summary>The name that the client asked for.</summary>
    public static string? ServerName(nint ssl) => Marshal.PtrToStringUTF8((nint)OpenSsl.SSL_get_servername(ssl, OpenSsl.TLSEXT_NAMETYPE_host_name));

    // "LABEL client-random secret", in hexadecimal.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnSecret(nint ssl, byte* text)
    {
        var line = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
        var (isClients, isServers) = (line.StartsWith("CLIENT_TRAFFIC_SECRET_0 "u8), line.StartsWith("SERVER_TRAFFIC_SECRET_0 "u8));
        if (!isClients && !isServers) return;
        var digits = line[(line.LastIndexOf((byte)' ') + 1)..];
        Span<byte> secret = stackalloc byte[TrafficKeys.MostSecret];
        var isRead = Convert.FromHexString(digits, secret, out _, out var length) == OperationStatus.Done;
        if (isRead) Workspace.OfThread.End?.TakeSecret(secret[..length], isClients);
        CryptographicOperations.ZeroMemory(secret);
    }

    // 1 takes the reference over. An allocation may fail; nothing else throws.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnSession(nint ssl, nint session) => Workspace.OfThread.End?.TryTakeSession(session) == true ? 1 : 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnCertificates(nint store, void* argument) => 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnApplicationProtocols(nint ssl, byte** chosen, byte* chosenLength, byte* offered, uint offeredLength, void* argument)
    {
        foreach (var ours in Workspace.OfThread.End?.ApplicationProtocols ?? [])
        {
            // OpenSSL has checked that the lengths add up.
            for (var theirs = offered; theirs < offered + offeredLength; theirs += 1 + *theirs)
            {
                if (!ours.AsSpan().SequenceEqual(new ReadOnlySpan<byte>(theirs + 1, *theirs))) continue;
                *chosen = theirs + 1;
                *chosenLength = *theirs;
                return OpenSsl.SSL_TLSEXT_ERR_OK;
            }
        }

        return OpenSsl.SSL_TLSEXT_ERR_ALERT_FATAL; // no_application_protocol
    }

    // Only says to the client that its name was heard.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnServerName(nint ssl, int* alert, void* argument)
        => OpenSsl.SSL_get_servername(ssl, OpenSsl.TLSEXT_NAMETYPE_host_name) is null ? OpenSsl.SSL_TLSEXT_ERR_NOACK : OpenSsl.SSL_TLSEXT_ERR_OK;

    // Before a version, a session or anything else is chosen.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnClientHello(nint ssl, int* alert, void* argument)
    {
        var work = Workspace.OfThread;
        try
        {
            work.End?.SelectContext(ssl, HelloName(ssl));
            OpenSsl.ERR_clear_error(); // A selector may have used OpenSSL, too.
            return OpenSsl.SSL_CLIENT_HELLO_SUCCESS;
        }
#pragma warning disable CA1031 // A selector is the user's code, and its exception must not cross OpenSSL's frames.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work.Fault = e;
            *alert = (int)(e is AuthenticationException ? TlsAlert.unrecognized_name : TlsAlert.internal_error);
            return OpenSsl.SSL_CLIENT_HELLO_ERROR;
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnClientCertificate(nint store, void* argument)
    {
        var work = Workspace.OfThread;
        try
        {
            var verdict = work.End?.JudgeClient(store) ?? ClientCertificateVerdict.Rejected;
            OpenSsl.ERR_clear_error(); // Building the chain uses OpenSSL, too.
            OpenSsl.X509_STORE_CTX_set_error(store, (int)verdict);
            return verdict == ClientCertificateVerdict.Accepted ? 1 : 0;
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work.Fault = e;
            OpenSsl.X509_STORE_CTX_set_error(store, OpenSsl.X509_V_ERR_APPLICATION_VERIFICATION);
            return 0;
        }
    }

    // RFC 6066, section 3: a list, of which only host names were ever defined. What does not add up is OpenSSL's to refuse.
    private static string? HelloName(nint ssl)
    {
        byte* start;
        nuint length;
        if (OpenSsl.SSL_client_hello_get0_ext(ssl, OpenSsl.TLSEXT_TYPE_server_name, &start, &length) != 1) return null;
        var content = new ReadOnlySpan<byte>(start, (int)length);
        const int head = 5;
        if (content.Length < head || content[2] != OpenSsl.TLSEXT_NAMETYPE_host_name) return null;
        var name = content[head..];
        return BinaryPrimitives.ReadUInt16BigEndian(content[3..]) == name.Length && !name.Contains((byte)0) ? Encoding.UTF8.GetString(name) : null;
    }
}
