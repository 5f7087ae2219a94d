using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Proxying;

/// <summary>A backend that speaks HTTP/2 frame by frame (RFC 9113 section 4), as a script says; a connection is closed when its script ends.</summary>
internal sealed class Http2Backend : IAsyncDisposable
{
    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly ConcurrentBag<Connection> _connections = [];
    private readonly Func<Connection, int, Task> _script;
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;

    /// <param name="script">Plays one connection; given the connection and its number, from 0.</param>
    /// <param name="certificate">For TLS.</param>
    public Http2Backend(Func<Connection, int, Task> script, X509Certificate2? certificate = null)
    {
        (_script, _certificate) = (script, certificate);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Address = new Uri($"{(certificate is null ? "http" : "https")}://{_listener.LocalEndPoint}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    public int Connections => _connections.Count;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        foreach (var connection in _connections) connection.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var socket = await _listener.AcceptAsync();
                socket.NoDelay = true;
                var connection = new Connection(socket);
                _connections.Add(connection);
                _ = PlayAsync(connection, _connections.Count - 1);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task PlayAsync(Connection connection, int number)
    {
        try
        {
            await connection.OpenAsync(_certificate);
            await _script(connection, number);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The balancer or the test closed the connection, which is an ordinary end.
        }
        finally
        {
            connection.Dispose();
        }
    }

    internal readonly record struct Frame(int Type, int Flags, int Stream, byte[] Payload)
    {
        public const int Data = 0;
        public const int Headers = 1;
        public const int Reset = 3;
        public const int Settings = 4;
        public const int GoAway = 7;
        public const int WindowUpdate = 8;
        public const int EndStream = 1;
        public const int EndHeaders = 4;

        public bool EndsStream => (Flags & EndStream) != 0;
    }

    internal sealed class Connection(Socket socket) : IDisposable
    {
        private Stream _stream = new NetworkStream(socket, ownsSocket: true);

        public async Task OpenAsync(X509Certificate2? certificate)
        {
            if (certificate is not null)
            {
                var secured = new SslStream(_stream);
                _stream = secured;
                await secured.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = certificate, ApplicationProtocols = [SslApplicationProtocol.Http2] });
            }

            await _stream.ReadExactlyAsync(new byte["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".Length], Wait.Token());
            await WriteAsync(Frame.Settings, 0, 0, []);
        }

        public async Task<Frame> ReadAsync()
        {
            var head = new byte[9];
            await _stream.ReadExactlyAsync(head, Wait.Token());
            var payload = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await _stream.ReadExactlyAsync(payload, Wait.Token());
            var frame = new Frame(head[3], head[4], BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(5)) & int.MaxValue, payload);
            if (frame is { Type: Frame.Settings, Flags: 0 }) await WriteAsync(Frame.Settings, 1, 0, []);
            return frame;
        }

        /// <summary>Reads up to the head of the next request.</summary>
        public async Task<Frame> ReadRequestAsync()
        {
            while (true)
            {
                var frame = await ReadAsync();
                if (frame.Type == Frame.Headers) return frame;
            }
        }

        /// <summary>Reads a request's body, whose head was read.</summary>
        public async Task<string> ReadBodyAsync(Frame head)
        {
            var body = new StringBuilder();
            for (var frame = head; !frame.EndsStream;)
            {
                frame = await ReadAsync();
                if (frame.Type != Frame.Data || frame.Stream != head.Stream) frame = frame with { Flags = 0 };
                else body.Append(Encoding.Latin1.GetString(frame.Payload));
            }

            return body.ToString();
        }

        public async Task WriteAsync(int type, int flags, int stream, byte[] payload)
        {
            var bytes = new byte[9 + payload.Length];
            (bytes[0], bytes[1], bytes[2]) = ((byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length);
            (bytes[3], bytes[4]) = ((byte)type, (byte)flags);
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(5), stream);
            payload.CopyTo(bytes, 9);
            await _stream.WriteAsync(bytes, Wait.Token());
        }

        public async Task AnswerAsync(int stream, int status, string body)
        {
            await WriteAsync(Frame.Headers, Frame.EndHeaders, stream, [0x08, 3, .. Encoding.ASCII.GetBytes($"{status}")]);
            await WriteAsync(Frame.Data, Frame.EndStream, stream, Encoding.ASCII.GetBytes(body));
        }

        public Task GoAwayAsync(int lastStream, int error = 0)
        {
            var payload = new byte[8];
            BinaryPrimitives.WriteInt32BigEndian(payload, lastStream);
            BinaryPrimitives.WriteInt32BigEndian(payload.AsSpan(4), error);
            return WriteAsync(Frame.GoAway, 0, 0, payload);
        }

        public Task ResetAsync(int stream, int error)
        {
            var payload = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(payload, error);
            return WriteAsync(Frame.Reset, 0, stream, payload);
        }

        public Task AllowAsync(int stream, int bytes)
        {
            var payload = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(payload, bytes);
            return WriteAsync(Frame.WindowUpdate, 0, stream, payload);
        }

        /// <summary>Breaks the connection (RST).</summary>
        public void Reset() => socket.Close(0);

        public void Dispose() => _stream.Dispose();
    }
}
