using System.Text;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>Connections that are opened one after the other, with a first exchange in each whose answer is looked at byte by byte.</summary>
internal static class Opening
{
    // Small, so that what is stalled lies with the balancer.
    private const int StalledBuffer = 16 * 1024;

    /// <summary>A tunnel that has carried one message.</summary>
    public static Connection Tunnel(Dialer dialer)
    {
        var connection = ShakeHands(dialer.Connect(), Messages.Handshake);
        connection.Send(Messages.Small);
        var echo = ReadExactly(connection, Messages.Small.Length);
        if (!echo.AsSpan().SequenceEqual(EchoFrames.Of(Messages.Small))) throw new IOException("The echo is not what was sent.");
        return connection;
    }

    /// <summary>A tunnel to a backend that speaks in frames, which has carried one message. It is one of very many.</summary>
    public static Connection Talk(Dialer dialer, long turn)
    {
        var connection = ShakeHands(dialer.ConnectOneOfMany(turn), Messages.TalkHandshake);
        connection.Send(Messages.Small);
        ReadExactly(connection, WebSocketFrame.FromServer(Messages.Payload).Length);
        return connection;
    }

    /// <summary>A connection for plain HTTP that has had one answer, and how long all its answers are.</summary>
    public static Connection Http(Dialer dialer, Exchange exchange, out int answerLength)
    {
        var connection = dialer.Connect();
        connection.Send(exchange.Request);
        var head = ReadHead(connection, "HTTP/1.1 200 ");
        ReadExactly(connection, exchange.Received);
        answerLength = head.Length + exchange.Received;
        return connection;
    }

    /// <summary>A tunnel to a backend that takes everything and says nothing.</summary>
    public static Connection Sink(Dialer dialer) => ShakeHands(dialer.Connect(), Messages.SinkHandshake);

    /// <summary>A tunnel into which the backend pushes, and of which only the first byte is read.</summary>
    public static Connection Stalled(Dialer dialer)
    {
        var connection = ShakeHands(dialer.Connect(StalledBuffer), Messages.PushHandshake);
        ReadExactly(connection, 1);
        return connection;
    }

    private static Connection ShakeHands(Connection connection, byte[] handshake)
    {
        connection.Send(handshake);
        ReadHead(connection, "HTTP/1.1 101 ");
        return connection;
    }

    // Byte by byte, so that nothing behind the head is taken.
    private static string ReadHead(Connection connection, string expected)
    {
        var head = new byte[4096];
        for (var read = 0; read < head.Length; read++)
        {
            head[read] = ReadExactly(connection, 1)[0];
            if (head.AsSpan(0, read + 1).EndsWith("\r\n\r\n"u8)) return Check(Encoding.ASCII.GetString(head, 0, read + 1), expected);
        }

        throw new IOException("The balancer's answer does not end.");
    }

    private static string Check(string head, string expected)
        => head.StartsWith(expected, StringComparison.Ordinal) ? head : throw new IOException($"The balancer answered: {head}");

    private static byte[] ReadExactly(Connection connection, int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var received = connection.Receive(bytes.AsSpan(read));
            if (received is Tcp.Ended or Tcp.Broken) throw new IOException("The balancer closed a connection.");
            read += Math.Max(received, 0);
        }

        return bytes;
    }
}
