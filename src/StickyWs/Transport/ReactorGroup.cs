namespace StickyWs.Transport;

/// <summary>The reactors of the process. Owned by the host's services; they outlive every listener.</summary>
internal sealed class ReactorGroup : IDisposable
{
    private readonly Reactor[] _reactors;
    private uint _turn;

    private ReactorGroup(Reactor[] reactors) => _reactors = reactors;

    public int Count => _reactors.Length;

    public Reactor First => _reactors[0];

    /// <exception cref="IOException">The kernel refuses what a reactor needs.</exception>
    public static ReactorGroup Start(int count, Action<Exception> onFailure)
    {
        var reactors = new List<Reactor>(count);
        try
        {
            while (reactors.Count < count) reactors.Add(new EpollReactor(reactors.Count, onFailure));
        }
        catch
        {
            reactors.ForEach(reactor => reactor.Dispose());
            throw;
        }

        reactors.ForEach(reactor => reactor.Start());
        return new ReactorGroup([.. reactors]);
    }

    /// <summary>The reactor for the next connection.</summary>
    public Reactor Next() => _reactors.Length == 1 ? _reactors[0] : _reactors[Interlocked.Increment(ref _turn) % (uint)_reactors.Length];

    public void Dispose()
    {
        foreach (var reactor in _reactors) reactor.Dispose();
    }
}
