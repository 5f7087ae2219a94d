namespace StickyWs.Examples.Quickstart;

/// <summary>What the clients who chat have noticed, all together, since the process began.</summary>
internal sealed class ChatCounts
{
    private int _open, _messages, _told, _broken, _refused;

    public void Opened() => Interlocked.Increment(ref _open);

    public void Closed() => Interlocked.Decrement(ref _open);

    /// <summary>An answer arrived.</summary>
    public void Heard() => Interlocked.Increment(ref _messages);

    /// <summary>A Close frame said that it is time to go.</summary>
    public void ToldToGo() => Interlocked.Increment(ref _told);

    /// <summary>The connection ended without a Close frame.</summary>
    public void BrokenOff() => Interlocked.Increment(ref _broken);

    /// <summary>There was no 101.</summary>
    public void Refused() => Interlocked.Increment(ref _refused);

    public ChatsSeen Read() => new(_open, _messages, _told, _broken, _refused);
}

internal sealed record ChatsSeen(int Open, int Messages, int Told, int Broken, int Refused);

internal sealed record TrafficSeen(bool IsOn, IReadOnlyDictionary<string, int> Answers, int FailedRequests, ChatsSeen Chats);
