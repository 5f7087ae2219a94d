using System.Net.Security;
using System.Runtime.CompilerServices;
using StickyWs.Transport;

namespace StickyWs.Dialing;

/// <summary>
/// A TLS stream that can close its sending direction while it still receives. The runtime's <see cref="SslStream.ShutdownAsync"/> must not run during
/// a read: on OpenSSL it reads as well, without a lock against a concurrent decryption, and then either of them fails (seen with .NET 10.0). So the
/// two take turns when they process received bytes, and a read yields its turn while it waits for the network.
/// </summary>
#pragma warning disable CA2213 // A semaphore without a wait handle holds nothing but memory, and a read may still come after the dispose.
internal sealed class DuplexTlsStream : AsyncStream
#pragma warning restore CA2213
{
    // The handshake takes the first turn.
    private readonly SemaphoreSlim _turn = new(0, 1);
    private readonly SslStream _session;

    private DuplexTlsStream(Stream plain) => _session = new SslStream(new Below(plain, _turn));

    /// <summary>Performs the TLS handshake.</summary>
    /// <param name="plain">The connection. The result owns it; it is disposed if the handshake fails.</param>
    /// <param name="authenticate">Performs the handshake.</param>
    public static async ValueTask<DuplexTlsStream> OpenAsync(Stream plain, Func<SslStream, Task> authenticate)
    {
        var stream = new DuplexTlsStream(plain);
        try
        {
            await authenticate(stream._session).ConfigureAwait(false);
            stream._turn.Release();
            return stream;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _session.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _session.WriteAsync(buffer, cancellationToken);

    /// <summary>Sends a close_notify (RFC 8446 section 6.1). Call it after the last write; reads go on.</summary>
    /// <exception cref="IOException">The session is broken.</exception>
    public async ValueTask FinishWritingAsync()
    {
        try
        {
            await (await BeginFinishAsync().ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (IOException or ObjectDisposedException))
        {
            throw new IOException("The TLS session is broken.", e); // The original type depends on the system's TLS library.
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _session.Dispose();
        base.Dispose(disposing);
    }

    // The alert is created during the turn and sent after it: a peer that does not receive must not keep us from receiving.
    private async ValueTask<Task> BeginFinishAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            return _session.ShutdownAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The connection underneath the session.</summary>
    private sealed class Below(Stream plain, SemaphoreSlim turn) : AsyncStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = plain.ReadAsync(buffer, cancellationToken);
            return read.IsCompletedSuccessfully ? read : AwaitAsync(read);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
            => plain.WriteAsync(buffer, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing) plain.Dispose();
            base.Dispose(disposing);
        }

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
        private async ValueTask<int> AwaitAsync(ValueTask<int> read)
        {
            turn.Release();
            try
            {
                return await read.ConfigureAwait(false);
            }
            finally
            {
                await turn.WaitAsync().ConfigureAwait(false);
            }
        }
    }
}
