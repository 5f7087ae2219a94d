using StickyWs.Backends;
using StickyWs.Dispatch;

namespace StickyWs.Tests.Dispatch;

/// <summary>What became of one handshake.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Lease">The lease, which is the test's; none when there was no backend.</param>
/// <param name="Notice">What the backend was told.</param>
/// <param name="Marks">What the client got.</param>
internal sealed record Visit(Decision Decision, Lease? Lease, PinNotice Notice, ClientMarks Marks)
{
    public string? Backend => Lease?.Backend.Name;

    public DecisionReason Reason => Decision.Reason;

    public NoBackendReason Why => Decision.Why;

    public void End() => Lease?.Dispose();
}
