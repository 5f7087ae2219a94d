using StickyWs.Configuration;

namespace StickyWs.Reactors;

/// <summary>The reactors of the process. Owned by the host's services; they outlive every listener.</summary>
internal sealed class ReactorGroup : IDisposable
{
    private readonly Reactor[] _reactors;
    private uint _turn;

    private ReactorGroup(Reactor[] reactors) => _reactors = reactors;

    public int Count => _reactors.Length;

    public Reactor First => _reactors[0];

    /// <param name="mode">What they shall wait with, and nothing else.</param>
    /// <param name="count">How many.</param>
    /// <param name="onFailure">Who is told of what should never happen.</param>
    /// <param name="bufferSize">What a receive takes at most, and with that what is left over of it for a reader that stalls.</param>
    /// <param name="mostPipes">How many pipes each may keep for splicing.</param>
    /// <exception cref="IOException">The kernel refuses what a reactor needs.</exception>
    public static ReactorGroup Start(
        ReactorMode mode, int count, Action<Exception> onFailure, int bufferSize = SocketReactor.DefaultBufferSize, int mostPipes = SocketReactor.MostPipes)
    {
        var reactors = new List<Reactor>(count);
        try
        {
            while (reactors.Count < count)
            {
                reactors.Add(mode == ReactorMode.IoUring
                    ? new UringReactor(reactors.Count, onFailure, bufferSize: bufferSize, mostPipes: mostPipes)
                    : new EpollReactor(reactors.Count, onFailure, mostPipes, bufferSize));
            }

            reactors.ForEach(reactor => reactor.Start());
        }
        catch
        {
            reactors.ForEach(reactor => reactor.Dispose());
            throw;
        }

        return new ReactorGroup([.. reactors]);
    }

    /// <summary>The reactor for the next connection: one that works, as long as there is one.</summary>
    public Reactor Next()
    {
        if (_reactors.Length == 1) return _reactors[0];
        for (var tries = _reactors.Length; tries > 1; tries--)
        {
            if (Take() is { IsAiling: false } reactor) return reactor;
        }

        return Take();
    }

    private Reactor Take() => _reactors[Interlocked.Increment(ref _turn) % (uint)_reactors.Length];

    public void Dispose()
    {
        foreach (var reactor in _reactors) reactor.Dispose();
    }
}
