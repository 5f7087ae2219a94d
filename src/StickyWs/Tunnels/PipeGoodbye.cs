namespace StickyWs.Tunnels;

/// <summary>A goodbye under way in the portable lane.</summary>
internal sealed class PipeGoodbye(Goodbye word, long until, long saidAt)
{
    /// <summary>How long a client that takes its last bytes slowly is waited for in all.</summary>
    public static readonly TimeSpan LongestDrain = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isClientGivenUp;
    private int _isEnding;

    public Goodbye Word => word;

    /// <summary>When it was said, as a timestamp.</summary>
    public long SaidAt => saidAt;

    /// <summary>How long its next step is waited for, as a timestamp.</summary>
    public long Until { get; set; } = until;

    /// <summary>The client has its Close, ours or the backend's, or gets it behind what it has not taken yet.</summary>
    public Task Told => _told.Task;

    /// <summary>The client has ended or said its Close, or is not waited for any more.</summary>
    public Task Answered => _answered.Task;

    /// <summary>The client has not answered in time: the backend gets a Close of ours.</summary>
    public bool IsClientGivenUp => _isClientGivenUp;

    /// <summary>Whether the backend's connection is being ended.</summary>
    public bool IsEnding => Volatile.Read(ref _isEnding) != 0;

    public void NoteTold() => _told.TrySetResult();

    public void NoteAnswered() => _answered.TrySetResult();

    public void GiveClientUp() => _isClientGivenUp = true;

    /// <summary>Whether the caller is the one that ends the backend's connection.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _isEnding, 1) == 0;
}
