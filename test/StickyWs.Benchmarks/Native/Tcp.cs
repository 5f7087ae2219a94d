namespace StickyWs.Benchmarks.Native;

/// <summary>
/// TCP over loopback on bare descriptors. They block, because most answers are small and due; what may not wait says so. <see cref="TrySend"/> and
/// the receiving calls answer with a count or with one of the three outcomes below.
/// </summary>
internal static unsafe class Tcp
{
    /// <summary>The other side has closed in order.</summary>
    public const int Ended = 0;

    /// <summary>Nothing has arrived, or nothing can be taken yet.</summary>
    public const int NotYet = -1;

    /// <summary>The connection was reset.</summary>
    public const int Broken = -2;

    private const int Stream = 1;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int Truncate = 0x20;
    private const int SocketLevel = 1;
    private const int SendBuffer = 7;
    private const int ReceiveBuffer = 8;
    private const int InternetLevel = 0;
    private const int BindAddressNoPort = 24;
    private const int TcpLevel = 6;
    private const int NoDelay = 1;

    /// <summary>A listener on every address of this machine, so that each balancer can have a backend address of its own; does not block.</summary>
    public static int Listen(out int port)
    {
        var socket = Kernel.Checked(Libc.Socket(2, Stream | CloseOnExec | NonBlocking, 0), "socket");
        var (address, length) = (InternetAddress.Any(), sizeof(InternetAddress));
        Kernel.Checked(Libc.Bind(socket, &address, length), "bind");
        Kernel.Checked(Libc.Listen(socket, 4096), "listen");
        Kernel.Checked(Libc.GetSocketName(socket, &address, &length), "getsockname");
        port = address.Port;
        return socket;
    }

    /// <summary>The next connection, or <see cref="NotYet"/>.</summary>
    public static int Accept(int listener)
    {
        var socket = Libc.Accept(listener, null, null, CloseOnExec);
        if (socket >= 0) Set(socket, TcpLevel, NoDelay, 1);
        else if (Kernel.Error != Kernel.TryAgain) throw Kernel.Failed("accept");
        return socket >= 0 ? socket : NotYet;
    }

    /// <summary>A client's connection. Its buffer for sending takes the largest message in one piece, so that sending never has to wait.</summary>
    /// <param name="port">The server's port on 127.0.0.1.</param>
    /// <param name="receiveBuffer">Bytes that may lie unread in the kernel; zero leaves it to the kernel.</param>
    public static int Connect(int port, int receiveBuffer = 0)
    {
        var socket = Create();
        Set(socket, SocketLevel, SendBuffer, 512 * 1024);
        if (receiveBuffer > 0) Set(socket, SocketLevel, ReceiveBuffer, receiveBuffer);
        Reach(socket, port);
        return socket;
    }

    /// <summary>
    /// A client's connection that is one of very many, one after the other: it comes from one of a few addresses in turn, because the kernel searches
    /// long for a port when all have been used within a second.
    /// </summary>
    public static int ConnectOneOfMany(int port, long turn)
    {
        var socket = CreateOneOfMany(turn);
        Reach(socket, port);
        return socket;
    }

    /// <summary>The same, without waiting: it may be written to once the connection is there.</summary>
    public static int BeginConnectOneOfMany(int port, long turn)
    {
        var socket = CreateOneOfMany(turn, NonBlocking);
        var address = InternetAddress.LoopbackAt(port);
        if (Libc.Connect(socket, &address, sizeof(InternetAddress)) < 0 && Kernel.Error != Kernel.InProgress) throw Kernel.Failed("connect");
        return socket;
    }

    /// <summary>Sends everything.</summary>
    public static void Send(int socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            if (Libc.Send(socket, first, bytes.Length, NoSignal) != bytes.Length) throw Kernel.Failed("send");
        }
    }

    /// <summary>Sends what the kernel takes at once.</summary>
    public static int TrySend(int socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* first = bytes) return Outcome(Libc.Send(socket, first, bytes.Length, NoSignal | DontWait), "send");
    }

    /// <summary>Waits for some bytes.</summary>
    public static int Receive(int socket, Span<byte> bytes)
    {
        fixed (byte* first = bytes) return Outcome(Libc.Receive(socket, first, bytes.Length, 0), "recv");
    }

    /// <summary>Takes what has arrived.</summary>
    public static int TryReceive(int socket, Span<byte> bytes)
    {
        fixed (byte* first = bytes) return Outcome(Libc.Receive(socket, first, bytes.Length, DontWait), "recv");
    }

    /// <summary>Takes what has arrived and throws it away without copying it (tcp(7), MSG_TRUNC).</summary>
    public static int TryDiscard(int socket, int most) => Outcome(Libc.Receive(socket, null, most, DontWait | Truncate), "recv");

    /// <summary>Sends the FIN; receiving goes on.</summary>
    public static void EndSending(int socket) => Libc.Shutdown(socket, 1);

    public static void Close(int socket) => Libc.Close(socket);

    private static int Create(int flags = 0)
    {
        var socket = Kernel.Checked(Libc.Socket(2, Stream | CloseOnExec | flags, 0), "socket");
        Set(socket, TcpLevel, NoDelay, 1);
        return socket;
    }

    private static int CreateOneOfMany(long turn, int flags = 0)
    {
        var socket = Create(flags);
        var source = InternetAddress.LoopbackSource((int)(turn % 64));
        Set(socket, InternetLevel, BindAddressNoPort, 1);
        Kernel.Checked(Libc.Bind(socket, &source, sizeof(InternetAddress)), "bind");
        return socket;
    }

    private static void Reach(int socket, int port)
    {
        var address = InternetAddress.LoopbackAt(port);
        Kernel.Checked(Libc.Connect(socket, &address, sizeof(InternetAddress)), "connect");
    }

    private static void Set(int socket, int level, int option, int value)
        => Kernel.Checked(Libc.SetOption(socket, level, option, &value, sizeof(int)), "setsockopt");

    private static int Outcome(nint count, string what) => count >= 0 ? (int)count : Kernel.Error switch
    {
        Kernel.TryAgain or Kernel.Interrupted => NotYet,
        Kernel.ConnectionReset or Kernel.BrokenPipe => Broken,
        _ => throw Kernel.Failed(what),
    };
}
