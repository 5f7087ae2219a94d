using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StickyWs.Tls;

/// <summary>
/// What OpenSSL asks during a handshake. The connection is the one that the thread's workspace names. No exception leaves a callback: it becomes the
/// workspace's fault, and fails the handshake.
/// </summary>
internal static unsafe class HandshakeCallbacks
{
    public static void Register(nint context, TlsServerSettings settings)
    {
        // The only public way to the traffic secrets.
        if (!settings.KeepsSsl) OpenSsl.SSL_CTX_set_keylog_callback(context, &OnSecret);
        if (settings.ApplicationProtocols.Count > 0) OpenSsl.SSL_CTX_set_alpn_select_cb(context, &OnApplicationProtocols, null);
        if (settings.Select is null) return;
        delegate* unmanaged[Cdecl]<nint, int*, void*, int> onServerName = &OnServerName;
        _ = OpenSsl.SSL_CTX_callback_ctrl(context, OpenSsl.SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, onServerName);
    }

    /// <summary>The callbacks of a client, which accepts every certificate for now.</summary>
    public static void RegisterClient(nint context, bool keepsSsl)
    {
        if (!keepsSsl) OpenSsl.SSL_CTX_set_keylog_callback(context, &OnSecret);
        OpenSsl.SSL_CTX_set_cert_verify_callback(context, &OnCertificates, null);
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
        Workspace.OfThread.End?.TakeSecret(line[(line.LastIndexOf((byte)' ') + 1)..], isClients);
    }

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

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnServerName(nint ssl, int* alert, void* argument)
    {
        var work = Workspace.OfThread;
        try
        {
            work.End?.SelectContext(ssl);
            return OpenSsl.SSL_get_servername(ssl, OpenSsl.TLSEXT_NAMETYPE_host_name) is null ? OpenSsl.SSL_TLSEXT_ERR_NOACK : OpenSsl.SSL_TLSEXT_ERR_OK;
        }
#pragma warning disable CA1031 // A selector is the user's code, and its exception must not cross OpenSSL's frames.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work.Fault = e;
            *alert = (int)TlsAlert.internal_error;
            return OpenSsl.SSL_TLSEXT_ERR_ALERT_FATAL;
        }
    }
}
