using System.Collections.Concurrent;
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
    private readonly Thread _thread;
    private readonly TaskCompletionSource _begun = new();
    private readonly Lock _behindTheEnd = new();
    private int _isAwake = 1;
    private volatile bool _isStopping;
    private volatile bool _hasEnded;
    private volatile bool _isAiling;

    protected Reactor(int number, Action<Exception> onFailure)
    {
        _onFailure = onFailure;
        Relay = new PairRelay(this);
        _thread = new Thread(Run) { IsBackground = true, Name = $"StickyWs reactor {number}" };
    }

    /// <summary>The pairs of sockets whose bytes are moved on this thread.</summary>
    public PairRelay Relay { get; }

    /// <summary>Milliseconds since some start, as of the latest wake-up of the thread.</summary>
    public long Now { get; private set; } = Milliseconds();

    /// <summary>Whether the kernel refuses what the thread waits with, or its latest turn failed otherwise: no place for a new connection.</summary>
    public bool IsAiling => _isAiling;

    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Start()
    {
        _thread.Start();
        _begun.Task.GetAwaiter().GetResult();
    }

    /// <summary>Runs work on the reactor's thread: at once when called there, else as soon as it wakes; on the caller's once the reactor has ended, so that nobody waits for ever.</summary>
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

    /// <summary>Lets a watched socket stream: from now on its bytes are received for the relay, and the reactor owns its descriptor.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="place">Its place in the relay's table.</param>
    /// <param name="isDrained">Whether all was received that the socket has reported while it was watched.</param>
    public abstract void BeginStream(int socket, int place, bool isDrained);

    /// <summary>Lets a watched socket stream for somebody else than the relay, who sends by himself, and has the reactor close it in the end.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="party">Who is told of what arrives, and how it ends.</param>
    public abstract void BeginStream(int socket, ICompletions party);

    /// <summary>Has the next call to the kernel send for a socket's party. On the thread, one at a time.</summary>
    /// <returns>Whether it will; if not, the kernel is to be called at once.</returns>
    public virtual bool TryGather(int socket, IGatheredSend send) => false;

    /// <summary>Has the party of a socket told (<see cref="ICompletions.Sent"/>) when there is room to send.</summary>
    public abstract void AwaitRoom(int socket);

    /// <summary>The relay's place of a streaming socket.</summary>
    public abstract int Place(int socket);

    /// <summary>Sends. What the kernel does not take at once is kept in order.</summary>
    /// <returns>Whether all is with the kernel; if not, <see cref="ICompletions.Sent"/> follows, or the socket's end, and nothing may be sent until then.</returns>
    public abstract bool Send(int socket, ReadOnlySpan<byte> bytes);

    /// <summary>From now on bytes go straight to the other socket while they come in bulk, where the kernel can.</summary>
    public abstract void Splice(int socket);

    /// <summary>Receives no more until <see cref="Resume"/>: what stops a sender whose reader stalls.</summary>
    public abstract void Pause(int socket);

    public abstract void Resume(int socket);

    /// <summary>Says that nothing more will be sent (FIN).</summary>
    public abstract void FinishSending(int socket);

    /// <inheritdoc cref="SocketOptions.SetDeadPeerTimeout"/>
    public abstract void SetDeadPeerTimeout(int socket, int milliseconds);

    /// <summary>Closes a socket and forgets its number.</summary>
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
    protected abstract void EndStreams(EndReason reason);

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
