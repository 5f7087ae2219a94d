using System.Collections.Concurrent;
using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Reactors;

/// <summary>
/// One thread that waits for the kernel on behalf of many sockets. A socket is first watched (readiness, for the handshake, from any thread) and then
/// streamed (completions, for the relay, on this thread only), and may then be watched again. It keeps the same number in all phases.
/// </summary>
internal abstract partial class Reactor : IDisposable
{
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Queue<Action> _later = new();
    private readonly Action<Exception> _onFailure;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _begun = new();
    private readonly Lock _afterEnd = new();
    private IResident[] _residents = [];
    private int _isAwake = 1;
    private int _beganNow;
    private volatile bool _isStopping;
    private volatile bool _hasEnded;
    private volatile bool _isAiling;

    protected Reactor(int number, Action<Exception> onFailure, TimeProvider? time)
    {
        Number = number;
        _onFailure = onFailure;
        _time = time ?? TimeProvider.System;
        _movedAt = Now = Milliseconds();
        Aside = new AsideThread(this);
        _thread = new Thread(Run) { IsBackground = true, Name = $"StickyWs reactor {number}" };
    }

    /// <summary>Its number among the reactors of the process, from 0.</summary>
    public int Number { get; }

    /// <summary>What it waits with: <c>io_uring</c> or <c>epoll</c>.</summary>
    public abstract string KernelName { get; }

    /// <summary>About how many sockets it has, watched or streaming. From any thread.</summary>
    public abstract int Count { get; }

    /// <summary>For what takes long and is in no hurry.</summary>
    public AsideThread Aside { get; }

    /// <summary>A monotonic clock in milliseconds, as of the thread's last wake-up.</summary>
    public long Now { get; private set; }

    /// <summary>Whether the kernel refused the thread's last wait, or its last turn failed otherwise. New connections should go to another
    /// reactor.</summary>
    public bool IsAiling => _isAiling;

    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Start()
    {
        _thread.Start();
        _begun.Task.GetAwaiter().GetResult();
    }

    /// <summary>Adds a resident that the thread serves from now on. From any thread.</summary>
    public void Admit(IResident resident)
    {
        lock (_posted) _residents = [.. _residents, resident];
    }

    /// <summary>
    /// Runs work on the reactor's thread: at once if called there, otherwise when the thread next wakes. After the reactor has ended, it runs on the
    /// caller's thread, so that no caller waits forever.
    /// </summary>
    public void Run(Action work)
    {
        if (IsCurrent)
        {
            work();
            return;
        }

        _posted.Enqueue(work);
        WakeUp();
        if (_hasEnded) RunAfterEnd();
    }

    /// <summary>Awaiting this continues on the reactor's thread.</summary>
    /// <param name="inTurn">For what takes long, such as to begin with a handshake (a tenth of a millisecond): little of it begins in a turn, so that the
    /// bytes of streams do not wait for all that arrives at the same time.</param>
    public ReactorSwitch SwitchTo(bool inTurn = false) => new(this, inTurn);

    /// <summary>Reports to <paramref name="watcher"/> what a socket becomes ready for, including what it is ready for already. From any
    /// thread.</summary>
    /// <param name="fd">The socket's descriptor.</param>
    /// <param name="watcher">Receives the signals.</param>
    /// <param name="signals">What to report; <see cref="Signals.PeerLeft"/> is always included.</param>
    /// <returns>The socket's number.</returns>
    /// <exception cref="IOException">The kernel cannot watch another socket.</exception>
    public abstract int Watch(int fd, IWatcher watcher, Signals signals);

    /// <summary>Adds signals to a watched socket, including what it is ready for already. From any thread.</summary>
    public abstract void WatchMore(int socket, Signals signals);

    /// <summary>Stops watching a socket and leaves it open: the caller owns the descriptor. From any thread.</summary>
    public abstract void Unwatch(int socket);

    /// <summary>Turns a watched socket into a stream: its bytes are received for the handler, and the reactor owns its descriptor.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="handler">Is told what arrives and how the stream ends.</param>
    /// <param name="place">The handler's own index for the socket (<see cref="Place"/>).</param>
    /// <param name="isDrained">Whether everything that the socket reported while it was watched has been received.</param>
    public abstract void BeginStream(int socket, IStreamHandler handler, int place = 0, bool isDrained = false);

    /// <summary>Adds a send to the batch of the next call into the kernel. On the reactor's thread; one at a time per socket.</summary>
    /// <returns>Whether it was added; if not, the caller makes the system call itself.</returns>
    public virtual bool TryGather(int socket, IGatheredSend send) => false;

    /// <summary>Asks for <see cref="IStreamHandler.Sent"/> when there is room to send.</summary>
    public abstract void AwaitRoom(int socket);

    /// <summary>
    /// Notes a small send of another thread. Returns whether there are so many of them at present that they should be handed to
    /// <see cref="TryGather"/> on the reactor's thread, rather than made with a system call each. From any thread.
    /// </summary>
    public virtual bool GathersSend() => false;

    /// <summary>
    /// From now on, another handler is told what happens at a streaming socket. On the reactor's thread, also within a call to the former handler: nothing
    /// is lost, and nothing told twice.
    /// </summary>
    /// <param name="socket">The socket.</param>
    /// <param name="handler">The new handler.</param>
    /// <param name="place">Its own index for the socket.</param>
    public abstract void ChangeHandler(int socket, IStreamHandler handler, int place = 0);

    /// <summary>
    /// Turns a streaming socket back into a watched one, which keeps its number. Nothing more is received: what has arrived in the kernel stays there. The
    /// handler is told nothing more; the watcher is told of the peer's end, also if that has come already, and of what is asked for later. On the
    /// reactor's thread, also within a call to the handler. The socket must be paused.
    /// </summary>
    /// <returns>
    /// Whether that is done. If not, something is still under way with the kernel: the handler hears of it, and the caller tries again in a later turn.
    /// </returns>
    public abstract bool TryEndStream(int socket, IWatcher watcher);

    /// <summary>
    /// Whether a streaming socket is as its handler knows it: neither a byte nor an end has arrived in the kernel since. Costs a system call. On the
    /// reactor's thread.
    /// </summary>
    public abstract bool IsQuiet(int socket);

    /// <summary>The handler's index, as passed to <see cref="BeginStream"/>.</summary>
    public abstract int Place(int socket);

    /// <summary>
    /// Sends a piece that has just arrived to another socket, after everything sent there before. The buffer is moved rather than copied where the
    /// kernel allows. The end of the source is reported only when the piece is with the kernel.
    /// </summary>
    /// <returns>
    /// Whether there is room for more. If not, send no more until <see cref="IStreamHandler.Sent"/>; the socket may also end instead.
    /// </returns>
    public abstract bool Forward(int to, in Piece piece);

    /// <summary>Sends the handler's own bytes, after everything sent before. They are copied.</summary>
    /// <returns>As for <see cref="Forward"/>.</returns>
    public abstract bool Write(int to, ReadOnlySpan<byte> bytes);

    /// <summary>Like <see cref="Write"/>, but the bytes may wait for the end of the turn, and then go out with others.</summary>
    public virtual bool Append(int to, ReadOnlySpan<byte> bytes) => Write(to, bytes);

    /// <summary>Whether everything sent to a socket is with the kernel, or can no longer be delivered.</summary>
    public abstract bool HasTaken(int socket);

    /// <summary>
    /// From now on, moves bulk data from one socket to the other inside the kernel, if the kernel can. Other data is reported to the handler as
    /// before.
    /// </summary>
    /// <param name="from">The source.</param>
    /// <param name="to">The target.</param>
    /// <param name="limit">How many of the next bytes may be spliced; everything after them is reported. With few, nothing is spliced.</param>
    public abstract void Splice(int from, int to, int limit = int.MaxValue);

    /// <summary>Ends that, whatever is left of the limit.</summary>
    public abstract void EndSplice(int from);

    /// <summary>
    /// From now on, receives more at once from a socket that sends in bulk, where its usual receives are small. Ends by itself, as splicing does.
    /// </summary>
    public virtual void ReceiveInBulk(int socket)
    {
    }

    /// <summary>Stops receiving until <see cref="Resume"/>: back-pressure towards the sender.</summary>
    public abstract void Pause(int socket);

    public abstract void Resume(int socket);

    /// <summary>Sends a FIN after everything sent before.</summary>
    public abstract void FinishSending(int socket);

    /// <summary>Whether a send has failed because the connection broke. It accepts no more, but earlier data from its peer may still be
    /// received.</summary>
    public abstract bool IsDeaf(int socket);

    /// <summary>Whether the peer of a broken connection had sent its FIN before.</summary>
    public abstract bool HadFinished(int socket);

    /// <summary>The number of sent bytes that the peer has not acknowledged; a FIN counts as one.</summary>
    public abstract int Unacknowledged(int socket);

    /// <inheritdoc cref="SocketOptions.Acknowledged"/>
    public abstract long Acknowledged(int socket);

    /// <inheritdoc cref="SocketOptions.LocalAddress"/>
    public abstract RawAddress? LocalAddress(int socket);

    /// <inheritdoc cref="SocketOptions.RemoteAddress"/>
    public abstract RawAddress? RemoteAddress(int socket);

    /// <inheritdoc cref="SocketOptions.SetDeadPeerTimeout"/>
    public abstract void SetDeadPeerTimeout(int socket, int milliseconds);

    /// <summary>Closes a socket and forgets its number. Bytes that are not yet with the kernel are lost.</summary>
    /// <param name="socket">A streaming socket.</param>
    /// <param name="isReset">Whether to reset the connection (RST).</param>
    public abstract void Close(int socket, bool isReset);

    public void Dispose()
    {
        if (_isStopping) return;
        _isStopping = true;
        lock (_posted) Monitor.Pulse(_posted);
        if (_thread.ThreadState.HasFlag(System.Threading.ThreadState.Unstarted))
        {
            Finish();
        }
        else
        {
            Run(static () => { });
            if (!IsCurrent) _thread.Join(LongestStop);
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Runs first on the thread.</summary>
    protected virtual void Begin()
    {
    }

    /// <summary>Ends all streams.</summary>
    protected virtual void EndStreams(EndReason reason)
    {
        foreach (var resident in _residents) resident.End(reason);
    }

    /// <summary>Runs last on the thread.</summary>
    protected virtual void End()
    {
    }

    /// <summary>Whether work was posted to the thread.</summary>
    protected virtual bool HasPosted => !_posted.IsEmpty;

    /// <summary>Makes the thread look at posted work, unless it will anyway before it waits.</summary>
    protected void WakeUp()
    {
        if (Interlocked.Exchange(ref _isAwake, 1) == 0) Wake();
    }

    /// <summary>Announces that the thread is about to wait.</summary>
    /// <returns>The milliseconds that it may wait.</returns>
    protected int Rest(int milliseconds)
    {
        Interlocked.Exchange(ref _isAwake, 0);
        return HasPosted ? 0 : milliseconds;
    }

    /// <summary>Waits for the kernel, for at most this many milliseconds (-1: no limit), and serves what it reports.</summary>
    /// <returns>Whether the wait worked; if not, the reason went to <see cref="Report"/>.</returns>
    protected abstract bool Turn(int milliseconds);

    /// <summary>Ends a wait in <see cref="Turn"/> from another thread.</summary>
    protected abstract void Wake();

    /// <summary>Releases all kernel resources. The thread does nothing afterwards.</summary>
    protected abstract void Release();

    /// <summary>Announces that the thread woke up.</summary>
    protected void Awake()
    {
        Volatile.Write(ref _isAwake, 1);
        Now = Milliseconds();
    }
}
