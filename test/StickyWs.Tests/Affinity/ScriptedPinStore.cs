using StickyWs.Pinning;


namespace StickyWs.Tests.Affinity;

/// <summary>A shared store that does what the test says, and forgets what was not renewed in time.</summary>
internal sealed class ScriptedPinStore(TimeProvider time) : IPinStore
{
    private readonly Dictionary<string, (string Backend, DateTimeOffset Until)> _pins = [];

    public event Action<string, string>? Saved;

    /// <summary>What is thrown at the next calls, within the task.</summary>
    public Exception? Failure { get; set; }

    /// <summary>What is thrown at the next calls before there is a task.</summary>
    public Exception? Throws { get; set; }

    /// <summary>Whether the next calls never end, whatever their token says.</summary>
    public bool IsSilent { get; set; }

    /// <summary>What the next calls wait for; those that wait already, do so still.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public List<string> Finds { get; } = [];

    public List<string> Saves { get; } = [];

    public int Calls => Finds.Count + Saves.Count;

    public string? this[PinKey key]
    {
        get => _pins.TryGetValue(key.ToString(), out var pin) && pin.Until > time.GetUtcNow() ? pin.Backend : null;
        set => _pins[key.ToString()] = (value!, time.GetUtcNow() + TimeSpan.FromDays(365));
    }

    public void Forget() => _pins.Clear();

    public void Tell(string key, string backend) => Saved?.Invoke(key, backend);

    public ValueTask<string?> FindAsync(string key, CancellationToken cancellationToken)
    {
        lock (_pins) Finds.Add(key);
        if (Throws is not null) throw Throws;
        return new ValueTask<string?>(AnswerAsync());

        async Task<string?> AnswerAsync()
        {
            await BehaveAsync();
            lock (_pins) return _pins.TryGetValue(key, out var pin) && pin.Until > time.GetUtcNow() ? pin.Backend : null;
        }
    }

    public ValueTask SaveAsync(string key, string backend, TimeSpan lifetime, CancellationToken cancellationToken)
    {
        lock (_pins) Saves.Add($"{key} {backend} {lifetime}");
        if (Throws is not null) throw Throws;
        return new ValueTask(AnswerAsync());

        async Task AnswerAsync()
        {
            await BehaveAsync();
            lock (_pins) _pins[key] = (backend, time.GetUtcNow() + lifetime);
        }
    }

    private async Task BehaveAsync()
    {
        if (IsSilent) await new TaskCompletionSource().Task;
        await Gate;
        if (Failure is not null) throw Failure;
    }
}
