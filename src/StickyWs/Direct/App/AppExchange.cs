using System.Buffers;
using System.IO.Pipelines;
using StickyWs.Http1;
using StickyWs.Transport;

namespace StickyWs.Direct;

/// <summary>
/// Requests of one direct client to the app, one at a time, over a connection of Kestrel's within this process. An exchange is over when all agree: the
/// request was counted to its end, Kestrel has used every byte of it and waits for more, and so was the answer, with nothing behind it. What leaves a doubt
/// ends with the connection. On the reactor's thread, except what Kestrel tells.
/// </summary>
internal sealed partial class AppExchange : IAppClient
{
    private readonly DirectDesk _desk;
    private readonly DirectClient _client;
    private readonly Action _look;
    private readonly Action _takeRoom;
    private readonly Action _leave;
    private readonly Action _roomCame;
    private AppConnection _connection = null!; // Set when it is opened.
    private BodyCounter _request;
    private ValueTask<FlushResult> _flush;
    private long _fed;
    private long _taken;
    private long _idleSince;
    private bool _isUnderWay;
    private bool _isFull;
    private bool _isUnread;
    private bool _isLost;
    private bool _hasEndedInput;
    private bool _isOver;

    private AppExchange(DirectDesk desk, DirectClient client)
    {
        (_desk, _client, _idleSince) = (desk, client, desk.Reactor.Now);
        _look = () => Guarded(Look);
        _takeRoom = () => Guarded(TakeRoom);
        _leave = () => Guarded(() => Leave(isBroken: true));
        _wake = () => Post(_look);
        _roomCame = () => Post(_takeRoom);
    }

    /// <summary>Whether all of the request was received.</summary>
    public bool IsReceived => _request.IsDone;

    /// <summary>Whether Kestrel has done its part: at most some of its answer is still here.</summary>
    public bool IsDone => (IsReceived || _isLost) && Interlocked.Read(ref _taken) == _fed;

    /// <summary>Opens a connection to the app.</summary>
    /// <returns><see langword="null"/> if the client's connection can have none.</returns>
    public static AppExchange? TryOpen(DirectDesk desk, DirectClient client, IRawConnection connection, IArrivalFeatures features)
    {
        var app = new AppExchange(desk, client);
        if (connection.TryOpenApp(app, features) is not { } opened) return null;
        app._connection = opened;
        opened.Present();
        app.Look();
        return app;
    }

    /// <summary>Whether it is no good for another request: Kestrel may give up an idle one at any moment, or has done so.</summary>
    /// <param name="keepAlive">After how many milliseconds Kestrel does. Half of it is left for what is under way.</param>
    public bool IsStale(long keepAlive) => !_isUnderWay && (!IsDrained || _desk.Reactor.Now - _idleSince >= keepAlive / 2);

    /// <summary>Begins an exchange. Only one that is not under way, and not stale.</summary>
    /// <param name="request">The request.</param>
    /// <param name="head">Its head: it goes on as it is.</param>
    /// <param name="limits">Its limits.</param>
    public void Begin(in DirectRequest request, ReadOnlySpan<byte> head, HeadLimits limits)
    {
        _isUnderWay = true;
        _request = BodyCounter.Of(request, limits);
        BeginAnswer(request.IsHead);
        Feed(head);
    }

    /// <summary>Passes on part of the request's body.</summary>
    /// <returns>How many bytes it took.</returns>
    public int TakeBody(ReadOnlySpan<byte> bytes)
    {
        if ((IsReceived && !_isLost) || _isFull) return 0;
        var count = bytes.Length;
        if (!_isLost)
        {
            count = _request.Take(bytes, out var fault);
            _isLost = fault != BodyFault.None; // From here on only Kestrel can say what the bytes are. It refuses them, or waits in vain.
            if (_isLost) count = bytes.Length;
        }

        Feed(bytes[..count]);
        return count;
    }

    /// <summary>The client has ended its direction before the end of its body.</summary>
    public void BodyIsCut()
    {
        if (!IsReceived) EndInput();
    }

    /// <summary>The client takes more of its answer.</summary>
    public void ClientHasRoom() => Look();

    /// <summary>The client goes without it. What is under way is aborted; Kestrel ends an idle connection by itself.</summary>
    public void End()
    {
        if (_isOver) return;
        _isOver = true;
        if (_isUnderWay) _connection.ClientHasLeft();
        EndInput();
        _connection.Answers.Complete();
        _head.Clear();
    }

    public void AppWaits(long taken)
    {
        Interlocked.Exchange(ref _taken, taken);
        Post(_look);
    }

    public void AppBroke() => Post(_leave);

    private void Feed(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty) return;
        _fed += bytes.Length;
        if (_isUnread || _hasEndedInput) return;
        _connection.Requests.Write(bytes);
#pragma warning disable CA2012 // Kept until it is complete, and then used once.
        _flush = _connection.Requests.FlushAsync();
#pragma warning restore CA2012
        if (_flush.IsCompleted)
        {
            _isUnread = _flush.Result.IsCompleted; // Kestrel reads no more: its answer is the last one.
            return;
        }

        _isFull = true;
        _flush.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_roomCame);
    }

    private void TakeRoom()
    {
        _isFull = false;
        _isUnread = _flush.Result.IsCompleted;
        if (_isOver) return;
        _client.UseCarry();
        LookForEnd();
    }

    private void EndInput()
    {
        if (_hasEndedInput) return;
        _hasEndedInput = true;
        _connection.Requests.Complete();
    }

    // Whether the exchange is over. If only Kestrel knows where its answer ends, the end of the connection shows it.
    private void LookForEnd()
    {
        if (_isOver || !_isUnderWay || _isFull || !IsDone || !IsDrained) return;
        if (_isLost || _isOdd || _answer.IsOpen)
        {
            EndInput();
            return;
        }

        if (!_hasHead || !_answer.IsDone) return;
        (_isUnderWay, _idleSince) = (false, _desk.Reactor.Now);
        _client.AppAnswered();
    }

    private void Leave(bool isBroken)
    {
        if (_isOver) return;
        var wasUnderWay = _isUnderWay;
        _isUnderWay &= isBroken;
        End();
        _client.AppEnded(this, isBroken && wasUnderWay);
    }

    // A defect must not leave the client waiting.
    private void Guarded(Action work)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031
        catch (Exception e)
#pragma warning restore CA1031
        {
            _desk.Reactor.Failed(e);
            _client.Break();
        }
    }

    // Never within a call that Kestrel, or the client, is in the middle of.
    private void Post(Action work)
    {
        var reactor = _desk.Reactor;
        if (reactor.IsCurrent) ThreadPool.UnsafeQueueUserWorkItem(static state => state.reactor.Run(state.work), (reactor, work), preferLocal: false);
        else reactor.Run(work);
    }
}
