using System.Collections.Concurrent;
using StickyWs.Kernel;
using StickyWs.Observability;

namespace StickyWs.Reactors;

/// <summary>
/// One thread that waits for the kernel on behalf of many sockets. Sockets are first watched (readiness, for the handshake, from any thread) and then
/// streamed (completions, for the relay, on this thread alone); one number names a socket in both.
/// </summary>
internal abstract partial class Reactor : IDisposable
{
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly Action<Exception> _onFailure;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _begun = new();
    private readonly Lock _behindTheEnd = new();
    private IResident[] _residents = [];
    private int _isAwake = 1;
    private volatile bool _isStopping;
    private volatile bool _hasEnded;
    private volatile bool _isAiling;

    protected Reactor(int number, Action<Exception> onFailure, TimeProvider? time)
    {
        _onFailure = onFailure;
        _time = time ?? TimeProvider.System;
        Now = Milliseconds();
        _thread = new Thread(Run) { IsBackground = true, Name = $"StickyWs reactor {number}" };
    }

    /// <summary>Milliseconds since some start, as of the latest wake-up of the thread.</summary>
    public long Now { get; private set; }

    /// <summary>Whether the kernel refuses what the thread waits with, or its latest turn failed otherwise: no place for a new connection.</summary>
    public bool IsAiling => _isAiling;

    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Start()
    {
        _thread.Start();
        _begun.Task.GetAwaiter().GetResult();
    }

    /// <summary>Has somebody looked after on the thread from now on. From any thread.</summary>
    public void Admit(IResident resident)
    {
        lock (_posted) _residents = [.. _residents, resident];
    }

    /// <summary>
    /// Runs work on the reactor's thread: at once when called there, else as soon as it wakes; on the caller's once the reactor has ended, so that
    /// nobody waits for ever.
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
        if (_hasEnded) RunBehindTheEnd();
    }

    /// <summary>Changes over to the reactor's thread, unless that is the current one: what is awaited goes on there.</summary>
    public ReactorSwitch SwitchTo() => new(this);

    /// <summary>Tells <paramref name="watcher"/> of what this socket becomes ready for, beginning with what it is ready for now. From any thread.</summary>
    /// <param name="fd">The socket's descriptor.</param>
    /// <param name="watcher">Who is told.</param>
    /// <param name="signals">Of what; <see cref="Signals.PeerLeft"/> in any case.</param>
    /// <returns>The socket's number.</returns>
    /// <exception cref="IOException">The kernel has no room to watch one more.</exception>
    public abstract int Watch(int fd, IWatcher watcher, Signals signals);

    /// <summary>Has a watched socket report more than before, beginning with what it is ready for now. From any thread.</summary>
    public abstract void WatchMore(int socket, Signals signals);

    /// <summary>Watches a socket no more and leaves it open: the caller owns its descriptor. From any thread.</summary>
    public abstract void Unwatch(int socket);

    /// <summary>Lets a watched socket stream: from now on its bytes are received for its handler, and the reactor owns its descriptor.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="handler">Who is told of what arrives, and how it ends.</param>
    /// <param name="place">Where the handler finds what it knows of the socket (<see cref="Place"/>).</param>
    /// <param name="isDrained">Whether all was received that the socket has reported while it was watched.</param>
    public abstract void BeginStream(int socket, IStreamHandler handler, int place = 0, bool isDrained = false);

    /// <summary>Has the next call to the kernel send what a handler keeps in place. On the thread, one at a time.</summary>
    /// <returns>Whether it will; if not, the kernel is to be called at once.</returns>
    public virtual bool TryGather(int socket, IGatheredSend send) => false;

    /// <summary>Has the handler of a socket told (<see cref="IStreamHandler.Sent"/>) when there is room to send.</summary>
    public abstract void AwaitRoom(int socket);

    /// <summary>The place that a streaming socket was given.</summary>
    public abstract int Place(int socket);

    /// <summary>
    /// Sends what has just arrived to another socket, behind all that was sent to it before; it is moved, not copied, where the kernel can. The end
    /// of the socket that it came from is told when it is with the kernel.
    /// </summary>
    /// <returns>
    /// Whether there is room for more; if not, <see cref="IStreamHandler.Sent"/> follows, or the socket's end, and nothing should be sent until then.
    /// </returns>
    public abstract bool Forward(int to, in Piece piece);

    /// <summary>Sends bytes of the handler's own, behind all that was sent before. They are copied.</summary>
    /// <returns>As <see cref="Forward"/>.</returns>
    public abstract bool Write(int to, ReadOnlySpan<byte> bytes);

    /// <summary>
    /// From now on bytes go straight from one socket to the other while they come in bulk, where the kernel can; those that do not come so are told
    /// of as before.
    /// </summary>
    /// <param name="from">Where they arrive.</param>
    /// <param name="to">Where they go.</param>
    /// <param name="limit">How many may go so, at most; from there on all are told of.</param>
    public abstract void Splice(int from, int to, int limit = int.MaxValue);

    /// <summary>Receives no more until <see cref="Resume"/>: what stops a sender whose reader stalls.</summary>
    public abstract void Pause(int socket);

    public abstract void Resume(int socket);

    /// <summary>Says that nothing more will be sent (FIN), behind all that was.</summary>
    public abstract void FinishSending(int socket);

    /// <summary>Whether it broke while it was sent to: it takes nothing more, though what its peer said before may still be received.</summary>
    public abstract bool IsDeaf(int socket);

    /// <summary>Whether the peer of a connection that broke had finished before (FIN).</summary>
    public abstract bool HadFinished(int socket);

    /// <summary>How many bytes that were sent the peer has not acknowledged; a FIN counts as one.</summary>
    public abstract int Unacknowledged(int socket);

    /// <inheritdoc cref="SocketOptions.Acknowledged"/>
    public abstract long Acknowledged(int socket);

    /// <inheritdoc cref="SocketOptions.LocalAddress"/>
    public abstract RawAddress? LocalAddress(int socket);

    /// <inheritdoc cref="SocketOptions.RemoteAddress"/>
    public abstract RawAddress? RemoteAddress(int socket);

    /// <inheritdoc cref="SocketOptions.SetDeadPeerTimeout"/>
    public abstract void SetDeadPeerTimeout(int socket, int milliseconds);

    /// <summary>Closes a socket and forgets its number. What was sent and is not with the kernel yet is lost.</summary>
    /// <param name="socket">A streaming socket.</param>
    /// <param name="isReset">Whether its peer is to see that the connection broke (RST).</param>
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

    /// <summary>What is to be done first on the thread.</summary>
    protected virtual void Begin()
    {
    }

    /// <summary>Ends whatever streams.</summary>
    protected virtual void EndStreams(EndReason reason)
    {
        foreach (var resident in _residents) resident.End(reason);
    }

    /// <summary>What is to be done last on the thread.</summary>
    protected virtual void End()
    {
    }

    /// <summary>Whether something was left for the thread.</summary>
    protected virtual bool HasPosted => !_posted.IsEmpty;

    /// <summary>Has the thread look at what was left for it, if it does not do so anyway before it waits.</summary>
    protected void WakeUp()
    {
        if (Interlocked.Exchange(ref _isAwake, 1) == 0) Wake();
    }

    /// <summary>Says that the thread is about to wait.</summary>
    /// <returns>For how many milliseconds it may.</returns>
    protected int Rest(int milliseconds)
    {
        Interlocked.Exchange(ref _isAwake, 0);
        return HasPosted ? 0 : milliseconds;
    }

    /// <summary>Waits for the kernel, for at most so many milliseconds (-1: for ever), and serves what it reports.</summary>
    /// <returns>Whether the kernel did; if not, <see cref="Report"/> was told why.</returns>
    protected abstract bool Turn(int milliseconds);

    /// <summary>Ends a wait of <see cref="Turn"/> from another thread.</summary>
    protected abstract void Wake();

    /// <summary>Gives everything back to the kernel; the thread does nothing more.</summary>
    protected abstract void Release();

    /// <summary>Takes note of a wake-up.</summary>
    protected void Awake()
    {
        Volatile.Write(ref _isAwake, 1);
        Now = Milliseconds();
    }

    /// <summary>Reports what should never happen. One bad tunnel must not take the others down, nor the report of it.</summary>
    public void Failed(Exception exception)
    {
        try
        {
            _onFailure(exception);
        }
#pragma warning disable CA1031 // The report is a log line, and what failed may well be the log.
        catch (Exception)
#pragma warning restore CA1031
        {
            // Whoever reports has nobody left to tell.
        }
    }
}
