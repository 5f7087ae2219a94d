using System.Text;
using StickyWs.Benchmarks.Native;

namespace StickyWs.Benchmarks.Traffic;

/// <summary>Connections that are opened one after the other, with a first exchange in each whose answer is looked at byte by byte.</summary>
internal static class Opening
{
    // Small, so that what is stalled lies with the balancer.
    private const int StalledBuffer = 16 * 1024;

    /// <summary>A tunnel that has carried one message.</summary>
    public static int Tunnel(int port)
    {
        var socket = ShakeHands(port, Messages.Handshake, 0);
        Tcp.Send(socket, Messages.Small);
        var echo = ReadExactly(socket, Messages.Small.Length);
        if (!echo.AsSpan().SequenceEqual(Messages.Small)) throw new IOException("The echo is not what was sent.");
        return socket;
    }

    /// <summary>A connection for plain HTTP that has had one answer, and how long all its answers are.</summary>
    public static int Http(int port, out int answerLength)
    {
        var socket = Tcp.Connect(port);
        Tcp.Send(socket, Messages.Get);
        var head = ReadHead(socket, "HTTP/1.1 200 ");
        ReadExactly(socket, Messages.BodyLength);
        answerLength = head.Length + Messages.BodyLength;
        return socket;
    }

    /// <summary>A tunnel into which the backend pushes, and of which only the first byte is read.</summary>
    public static int Stalled(int port)
    {
        var socket = ShakeHands(port, Messages.PushHandshake, StalledBuffer);
        ReadExactly(socket, 1);
        return socket;
    }

    private static int ShakeHands(int port, byte[] handshake, int receiveBuffer)
    {
        var socket = Tcp.Connect(port, receiveBuffer);
        Tcp.Send(socket, handshake);
        ReadHead(socket, "HTTP/1.1 101 ");
        return socket;
    }

    // Byte by byte, so that nothing behind the head is taken.
    private static string ReadHead(int socket, string expected)
    {
        var head = new byte[4096];
        for (var read = 0; read < head.Length; read++)
        {
            head[read] = ReadExactly(socket, 1)[0];
            if (head.AsSpan(0, read + 1).EndsWith("\r\n\r\n"u8)) return Check(Encoding.ASCII.GetString(head, 0, read + 1), expected);
        }

        throw new IOException("The balancer's answer does not end.");
    }

    private static string Check(string head, string expected)
        => head.StartsWith(expected, StringComparison.Ordinal) ? head : throw new IOException($"The balancer answered: {head}");

    private static byte[] ReadExactly(int socket, int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var received = Tcp.Receive(socket, bytes.AsSpan(read));
            if (received is Tcp.Ended or Tcp.Broken) throw new IOException("The balancer closed a connection.");
            read += Math.Max(received, 0);
        }

        return bytes;
    }
}
