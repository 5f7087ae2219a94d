using System.Net;
using System.Net.Sockets;

namespace StickyWs.TestKit;

/// <summary>Listens and never accepts: the kernel takes connections and what is sent on them, and nobody reads it.</summary>
public sealed class DeafListener : IDisposable
{
    private const int Backlog = 512;

    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _fillers = [];

    private DeafListener(int backlog)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(backlog);
    }

    public Uri Address => new($"http://{_listener.LocalEndPoint}");

    public static DeafListener Start() => new(Backlog);

    /// <summary>One whose backlog is full: Linux drops further connects without a word.</summary>
    public static DeafListener StartFull()
    {
        var full = new DeafListener(backlog: 0);
        for (var i = 0; i < 4; i++)
        {
            var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
            full._fillers.Add(filler);
            try
            {
                filler.Connect(full._listener.LocalEndPoint!);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // On its way, or dropped: either way it fills.
            }
        }

        return full;
    }

    public void Dispose()
    {
        foreach (var filler in _fillers) filler.Dispose();
        _listener.Dispose();
    }
}
