using System.Security.Cryptography;

namespace StickyWs.Tls;

/// <summary>
/// What handshakes of one side share: an SSL_CTX. May be disposed of at any time: handshakes that began with it end with it. Safe for concurrent use.
/// </summary>
internal abstract unsafe class TlsContext : IDisposable
{
    private readonly ContextHandle _handle;

    protected TlsContext(ContextHandle handle, bool keepsSsl, uint recordsPerKey, SecretSlab slab)
    {
        _handle = handle;
        HasOwnRecords = !keepsSsl;
        RecordsPerKey = Math.Max(1, recordsPerKey);
        Slab = slab;
    }

    /// <summary>Whether connections may go on without their SSL object.</summary>
    public bool HasOwnRecords { get; }

    /// <summary>Own records: the number after which the write key is updated.</summary>
    public uint RecordsPerKey { get; }

    /// <summary>Where its connections' secrets live.</summary>
    public SecretSlab Slab { get; }

    /// <summary>An SSL object that reads and writes the calling thread's workspace, and is ready for its handshake.</summary>
    /// <exception cref="ObjectDisposedException">The context is disposed of.</exception>
    public nint Open()
    {
        var isHeld = false;
        try
        {
            _handle.DangerousAddRef(ref isHeld);
            OpenSsl.ERR_clear_error();
            var ssl = OpenSsl.SSL_new(_handle.DangerousGetHandle());
            if (ssl == 0) throw new CryptographicException("SSL_new: " + OpenSsl.TakeErrors());
            SharedBio.Attach(ssl);
            TakeRole(ssl);
            return ssl;
        }
        finally
        {
            if (isHeld) _handle.DangerousRelease();
        }
    }

    public void Dispose() => _handle.Dispose();

    /// <param name="isClient">Whether for clients.</param>
    /// <param name="derivesKeys">Whether <see cref="KeyProvider"/> derives the keys of TLS 1.3, and so sees the secrets.</param>
    /// <param name="configure">Does the rest, to the SSL_CTX.</param>
    /// <exception cref="TlsUnavailableException">There is no OpenSSL 3.</exception>
    /// <exception cref="CryptographicException">OpenSSL refuses a setting.</exception>
    protected static ContextHandle Make(bool isClient, bool derivesKeys, Action<nint> configure)
    {
        if (TlsLibrary.Refusal is { } refusal) throw new TlsUnavailableException(refusal);
        OpenSsl.ERR_clear_error();
        var method = isClient ? OpenSsl.TLS_client_method() : OpenSsl.TLS_server_method();
        nint context;
        fixed (byte* properties = KeyProvider.Query) context = OpenSsl.SSL_CTX_new_ex(0, derivesKeys ? properties : null, method);
        if (context == 0) throw new CryptographicException("SSL_CTX_new: " + OpenSsl.TakeErrors());
        var handle = new ContextHandle(context);
        try
        {
            // Nothing is cached: a session goes with its connection, or is in the peer's ticket.
            const nint off = 0;
            _ = OpenSsl.SSL_CTX_ctrl(context, OpenSsl.SSL_CTRL_SET_SESS_CACHE_MODE, off, null);
            // No chain is built anew for each handshake: the intermediates are those that were given.
            const nint mode = OpenSsl.SSL_MODE_ENABLE_PARTIAL_WRITE | OpenSsl.SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | OpenSsl.SSL_MODE_RELEASE_BUFFERS
                | OpenSsl.SSL_MODE_NO_AUTO_CHAIN;
            _ = OpenSsl.SSL_CTX_ctrl(context, OpenSsl.SSL_CTRL_MODE, mode, null);
            configure(context);
            return handle;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Makes an SSL object a server's or a client's.</summary>
    protected abstract void TakeRole(nint ssl);

    /// <summary>Calls with the SSL_CTX, which stays while it runs.</summary>
    /// <exception cref="ObjectDisposedException">The context is disposed of.</exception>
    protected void Use(Action<nint> call)
    {
        var isHeld = false;
        try
        {
            _handle.DangerousAddRef(ref isHeld);
            call(_handle.DangerousGetHandle());
        }
        finally
        {
            if (isHeld) _handle.DangerousRelease();
        }
    }
}
