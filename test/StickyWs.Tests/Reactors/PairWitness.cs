using StickyWs.Frames;
using StickyWs.Observability;
using StickyWs.Tunnels;

namespace StickyWs.Tests.Reactors;

/// <summary>Keeps what a relay tells of one pair.</summary>
internal sealed class PairWitness : IPairOwner
{
    private readonly TaskCompletionSource<EndReason> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _toBackend;
    private long _toClient;
    private int _ends;
    private int _moves;

    /// <summary>The last piece by direction; <see langword="null"/> when its bytes were not seen.</summary>
    public byte[]? LastToBackend { get; private set; }

    public byte[]? LastToClient { get; private set; }

    public long ToBackend => Volatile.Read(ref _toBackend);

    public long ToClient => Volatile.Read(ref _toClient);

    /// <summary>Pieces that were moved.</summary>
    public int Moves => Volatile.Read(ref _moves);

    /// <summary>How often it was told of its end.</summary>
    public int Ends => Volatile.Read(ref _ends);

    public Task<EndReason> Ended => _ended.Task;

    /// <summary>Run on the reactor's thread with each piece to the backend.</summary>
    public Action? OnToBackend { get; set; }

    /// <summary>Run on the reactor's thread, first, when the pair has ended.</summary>
    public Action? OnEnded { get; set; }

    /// <summary>Where both sides are in their frames; without frames at first.</summary>
    public FrameCursor FromClient = FrameCursor.None;

    public FrameCursor FromBackend = FrameCursor.None;

    ref FrameCursor IPairOwner.Frames(bool ofClient)
    {
        if (ofClient) return ref FromClient;
        return ref FromBackend;
    }

    void IPairOwner.CountToBackend(ReadOnlySpan<byte> piece)
    {
        FromClient.Follow(piece);
        LastToBackend = piece.ToArray();
        AddToBackend(piece.Length);
    }

    void IPairOwner.CountToClient(ReadOnlySpan<byte> piece)
    {
        FromBackend.Follow(piece);
        LastToClient = piece.ToArray();
        AddToClient(piece.Length);
    }

    void IPairOwner.CountToBackend(long bytes)
    {
        FromClient.Skip(bytes);
        LastToBackend = null;
        AddToBackend(bytes);
    }

    void IPairOwner.CountToClient(long bytes)
    {
        FromBackend.Skip(bytes);
        LastToClient = null;
        AddToClient(bytes);
    }

    void IPairOwner.Ended(EndReason reason)
    {
        Interlocked.Increment(ref _ends);
        OnEnded?.Invoke();
        _ended.TrySetResult(reason);
    }

    private void AddToBackend(long bytes)
    {
        Volatile.Write(ref _toBackend, _toBackend + bytes);
        Volatile.Write(ref _moves, _moves + 1);
        OnToBackend?.Invoke();
    }

    private void AddToClient(long bytes)
    {
        Volatile.Write(ref _toClient, _toClient + bytes);
        Volatile.Write(ref _moves, _moves + 1);
    }
}
