using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Tls;

/// <summary>A TLS client whose records can be looked at and tampered with: a <see cref="SslStream"/> over a stream that keeps what passes.</summary>
internal sealed class TlsWire : IAsyncDisposable
{
    private const int Head = 5;

    private readonly Socket _socket;
    private readonly Tap _tap;

    private TlsWire(Socket socket, Tap tap, SslStream stream)
    {
        (_socket, _tap, Tls) = (socket, tap, stream);
        Wire = new Wire(socket, stream);
    }

    public SslStream Tls { get; }

    /// <summary>What is inside.</summary>
    public Wire Wire { get; }

    /// <summary>The lengths of the records that came from the balancer, in order; the last may not be whole.</summary>
    public IReadOnlyList<int> Records
    {
        get
        {
            var lengths = new List<int>();
            var bytes = _tap.Received.ToArray();
            for (var at = 0; at + Head <= bytes.Length; at += Head + lengths[^1]) lengths.Add((bytes[at + 3] << 8) | bytes[at + 4]);
            return lengths;
        }
    }

    /// <summary>The first record that the client sent.</summary>
    public byte[] Hello => _tap.First!;

    /// <summary>How many certificates the balancer sent. With TLS 1.2 only, where they are to be seen.</summary>
    public int Certificates
    {
        get
        {
            var bytes = _tap.Received.ToArray();
            var handshake = new List<byte>();
            for (var at = 0; at + Head <= bytes.Length && bytes[at] == 22;)
            {
                var length = (bytes[at + 3] << 8) | bytes[at + 4];
                handshake.AddRange(bytes.AsSpan(at + Head, length));
                at += Head + length;
            }

            var message = 0;
            while (handshake[message] != 11) message += 4 + Length(message + 1);
            var count = 0;
            for (var at = message + 7; at < message + 4 + Length(message + 1); at += 3 + Length(at)) count++;
            return count;

            int Length(int at) => (handshake[at] << 16) | (handshake[at + 1] << 8) | handshake[at + 2];
        }
    }

    public static Task<TlsWire> ConnectAsync(Uri address, SslProtocols protocols = SslProtocols.None) => ConnectAsync(address, protocols, holdsFinished: false);

    /// <summary>Connects with TLS 1.3, and holds back the Finished with all that follows until <see cref="LetGoAsync"/>.</summary>
    public static Task<TlsWire> ConnectHoldingAsync(Uri address) => ConnectAsync(address, SslProtocols.Tls13, holdsFinished: true);

    private static async Task<TlsWire> ConnectAsync(Uri address, SslProtocols protocols, bool holdsFinished)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), Wait.Token());
        var tap = new Tap(new NetworkStream(socket, ownsSocket: true)) { IsToHoldAfterFirst = holdsFinished };
        var stream = new SslStream(tap);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            EnabledSslProtocols = protocols,
            AllowTlsResume = false, // SslStream resumes with any server of the process that has the same certificate.
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        };
        await stream.AuthenticateAsClientAsync(options, Wait.Token());
        return new TlsWire(socket, tap, stream);
    }

    /// <summary>Flips a bit in the last byte of what is written next.</summary>
    public void Tamper() => _tap.IsToTamper = true;

    /// <summary>Drops the last byte of what is written next.</summary>
    public void Cut() => _tap.IsToCut = true;

    /// <summary>Holds back what is written from now on.</summary>
    public void Hold() => _tap.Held = new MemoryStream();

    /// <summary>Writes what was held back, at once.</summary>
    public Task LetGoAsync() => _tap.LetGoAsync();

    /// <summary>Ends TLS (close_notify), and leaves the connection open.</summary>
    public Task SayCloseNotifyAsync() => Tls.ShutdownAsync();

    /// <summary>Ends the connection (FIN) without a word of TLS.</summary>
    public void Finish() => _socket.Shutdown(SocketShutdown.Send);

    public async ValueTask DisposeAsync() => await Wire.DisposeAsync();

    private sealed class Tap(NetworkStream inner) : Stream
    {
        public MemoryStream Received { get; } = new();

        public byte[]? First { get; private set; }

        public bool IsToTamper { get; set; }

        public bool IsToCut { get; set; }

        public bool IsToHoldAfterFirst { get; set; }

        public MemoryStream? Held { get; set; }

        public async Task LetGoAsync()
        {
            var bytes = Held!.ToArray();
            Held = null;
            await inner.WriteAsync(bytes);
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await inner.ReadAsync(buffer, cancellationToken);
            Received.Write(buffer.Span[..read]);
            return read;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var bytes = buffer.ToArray();
            First ??= bytes;
            if (IsToTamper) bytes[^1] ^= 1;
            if (IsToCut) bytes = bytes[..^1];
            IsToTamper = IsToCut = false;
            if (Held is not null)
            {
                Held.Write(bytes);
                return;
            }

            await inner.WriteAsync(bytes, cancellationToken);
            if (IsToHoldAfterFirst) (Held, IsToHoldAfterFirst) = (new MemoryStream(), false);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
