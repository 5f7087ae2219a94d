using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Reactors;

/// <summary>
/// A reactor on io_uring(7). A streaming socket has one multishot receive with the kernel, into buffers that all sockets share; what arrives is sent
/// straight from its buffer. A turn enters the kernel once: this submits what the previous turn requested, including all sends, and waits.
/// </summary>
/// <remarks>
/// An entry of the table stays taken until its last operation has completed, so a completion never reaches a different socket. Which operations
/// should be with the kernel follows from a socket's state alone. <see cref="Settle"/> requests them; call it after every change of the state.
/// </remarks>
internal sealed unsafe partial class UringReactor : SocketReactor
{
    private const int KindShift = 56;

    // Buffers are reused in rotation: more of them touch more memory; with fewer, receives have to wait for one.
    private const int BufferCount = 256;
    private const int BufferSize = 8 * 1024;

    private readonly ConcurrentQueue<Request> _requests = new();
    private readonly Uring _ring;
    private readonly UringBuffers _buffers;
    private readonly SendVectors _vectors = new();
    private readonly Patience _patience = new();
    private int _received;
    private int _others;

    /// <exception cref="IOException">The kernel refuses a ring, its buffers or an eventfd.</exception>
    public UringReactor(
        int number,
        Action<Exception> onFailure,
        int submissions = 1024,
        int completions = 4096,
        int buffers = BufferCount,
        int bufferSize = DefaultBufferSize,
        int mostPipes = MostPipes,
        bool limitsReceives = true,
        TimeProvider? time = null)
        : base(number, onFailure, mostPipes, bufferSize, time)
    {
        try
        {
            _ring = new Uring((uint)submissions, (uint)completions);
            _buffers = new UringBuffers(_ring, buffers, BufferSize);
            _mostBytes = limitsReceives ? (uint)bufferSize : 0;
        }
        catch
        {
            _ring?.Dispose();
            _buffers?.Dispose();
            CloseOwn();
            throw;
        }
    }

    private enum Kind : byte
    {
        /// <summary>Its completions are ignored: a cancellation, a close.</summary>
        Quiet,
        Wake,
        Receive,
        Send,
        Gathered,
        Poll,
        Room,
    }

    public override string KernelName => "io_uring";

    /// <summary>The number of buffers that hold bytes. Call on the reactor's thread, or while it is known to be idle.</summary>
    public int BuffersInUse => _buffers.InUse;

    /// <summary>The number of operations that are with the kernel for sockets. Call as above.</summary>
    public int Operations { get; private set; }

    /// <summary>Whether the completion queue has overflown. Call as above.</summary>
    public bool HasOverflown => _ring.HasOverflown;

    protected override bool HasPosted => base.HasPosted || !_requests.IsEmpty;

    public override int Watch(int fd, IWatcher watcher, Signals signals)
    {
        int socket;
        lock (Registering) socket = Register(fd, watcher, signals);
        Ask(new Request(socket, signals, IsEnd: false));
        return socket;
    }

    public override void WatchMore(int socket, Signals signals) => Ask(new Request(socket, signals, IsEnd: false));

    public override void Unwatch(int socket)
    {
        // From here on the descriptor belongs to the caller, also for a request that is still queued.
        Volatile.Write(ref Sockets[socket].Fd, -1);
        Ask(new Request(socket, Signals.None, IsEnd: true));
    }

    public override void BeginStream(int socket, IStreamHandler handler, int place, bool isDrained)
    {
        BeginStream(ref Sockets[socket], handler, place);
        Settle(socket);
    }

    public override void Close(int socket, bool isReset)
    {
        ref var state = ref Sockets[socket];
        DropHeld(ref state);
        if (!state.Has(SocketFlags.IsSending)) DropPieces(ref state);
        var source = Unlink(socket);
        if (source != SocketState.None && Sockets[source].Has(SocketFlags.EndHeld)) _broken.Add(source); // Its end has nothing left to wait for.
        var fd = state.Fd;
        if (IsReleased)
        {
            Forget(socket);
            SocketOptions.Close(fd, isReset);
            return;
        }

        if (isReset) SocketOptions.ResetOnClose(fd);
        Abandon(socket, ref state);
        ref var close = ref Ask(UringOperation.IORING_OP_CLOSE, Kind.Quiet, socket);
        close.Fd = fd;
        close.Flags = Submission.IOSQE_CQE_SKIP_SUCCESS;
    }

    protected override void Begin()
    {
        _ring.Enable();
        AwaitWake();
    }

    private void AwaitWake() => Poll(Kind.Wake, 0, WakeEvent.Fd, EpollEvents.EPOLLIN);

    protected override bool Turn(int milliseconds)
    {
        while (_requests.TryDequeue(out var request)) Serve(request);
        var works = Wait(SendPieces() || _ring.Ready > 0 || HasQueued ? 0 : Rest(milliseconds));
        Awake();
        NoteSends();
        var isAllHeard = _ring.HasSubmitted(_sentUpTo) && !_ring.HasOverflown;
        (_received, _others) = (0, 0);
        for (var count = _ring.Ready; count > 0; count--) Complete(_ring.Take());
        if (isAllHeard) ConcludeSends();
        _patience.Note(_received, _others > 0);
        TellBreaks();
        ServeQueue();
        FeedStarved();
        PollAgain();
        return works;
    }

    // All streams have ended by now. Sockets that are still watched belong to their owners, who hear nothing more.
    protected override void End()
    {
        _isEnding = true;
        ref var cancel = ref Ask(UringOperation.IORING_OP_ASYNC_CANCEL, Kind.Quiet, 0);
        cancel.OperationFlags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
        for (var turns = 0; turns < 100 && (Operations > 0 || turns == 0); turns++) Turn(10);
    }

    protected override void CloseKernel()
    {
        while (_requests.TryDequeue(out var request)) Serve(request);
        _ring.Dispose();
        _buffers.Dispose();
        _vectors.Dispose();
    }

    private static ulong Data(Kind kind, int socket) => ((ulong)kind << KindShift) | (uint)socket;

    private ref Submission Ask(UringOperation operation, Kind kind, int socket)
    {
        ref var submission = ref _ring.Next();
        submission.Operation = operation;
        submission.Data = Data(kind, socket);
        return ref submission;
    }

    private void Ask(Request request)
    {
        if (IsCurrent)
        {
            Serve(request);
            return;
        }

        _requests.Enqueue(request);
        WakeUp();
    }

    private void Serve(Request request)
    {
        ref var state = ref Sockets[request.Socket];
        if (request.IsEnd)
        {
            Abandon(request.Socket, ref state);
            return;
        }

        state.Flags |= ToFlags(request.Signals);
        Settle(request.Socket);
    }

    private void Complete(Completion completion)
    {
        var socket = (int)(uint)completion.Data;
        var kind = (Kind)(completion.Data >> KindShift);
        if (kind == Kind.Receive && completion.Buffer >= 0) _received++;
        else _others++;
        try
        {
            switch (kind)
            {
                case Kind.Receive:
                    Received(socket, completion);
                    break;
                case Kind.Send:
                    Sent(socket, completion);
                    break;
                case Kind.Gathered:
                    Sockets[socket].Sending = completion.Result; // A short send.
                    break;
                case Kind.Poll:
                    Polled(socket, completion);
                    break;
                case Kind.Room:
                    HasRoom(socket, completion);
                    break;
                case Kind.Wake when !completion.GoesOn && completion.Error != Errno.ECANCELED:
                    AwaitWake();
                    break;
            }
        }
#pragma warning disable CA1031 // A defect, or the application's logger throws.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
            if (kind is Kind.Receive or Kind.Send or Kind.Room) Fail(socket, Sockets[socket].Generation);
        }
    }

    // The owner of a pair may throw when told of a break.
    private void TellGuarded(int socket)
    {
        try
        {
            TellBreak(socket, ref Sockets[socket]);
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            Failed(e);
            Fail(socket, Sockets[socket].Generation);
        }
    }

    /// <summary>A change to a watched socket, from any thread.</summary>
    private readonly record struct Request(int Socket, Signals Signals, bool IsEnd);
}
