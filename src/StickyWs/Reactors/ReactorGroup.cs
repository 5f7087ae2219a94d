using StickyWs.Configuration;

namespace StickyWs.Reactors;

/// <summary>The reactors of the process. A service of the host; they outlive every listener.</summary>
internal sealed class ReactorGroup : IDisposable
{
    private readonly Reactor[] _reactors;
    private uint _turn;

    private ReactorGroup(Reactor[] reactors) => _reactors = reactors;

    public int Count => _reactors.Length;

    public Reactor First => _reactors[0];

    /// <summary>All of them, in the order of their numbers.</summary>
    public IReadOnlyList<Reactor> All => _reactors;

    /// <param name="mode">What they wait with; there is no fallback here.</param>
    /// <param name="count">How many to start.</param>
    /// <param name="onFailure">Is told what should never happen.</param>
    /// <param name="bufferSize">The most bytes per receive, and thus the most that is left over of one when the reader stalls.</param>
    /// <param name="mostPipes">The most pipes that each keeps for splicing.</param>
    /// <exception cref="IOException">The kernel refuses what a reactor needs.</exception>
    public static ReactorGroup Start(
        ReactorMode mode,
        int count,
        Action<Exception> onFailure,
        int bufferSize = SocketReactor.DefaultBufferSize,
        int mostPipes = SocketReactor.MostPipes)
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

    /// <summary>The reactor for the next connection: one that is not ailing, if there is one.</summary>
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
