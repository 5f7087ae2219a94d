using StickyWs.Backends;
using StickyWs.Dialing;
using StickyWs.Http1;
using StickyWs.Observability;

namespace StickyWs.Forwarding;

/// <summary>What the outcome of a handshake means: to the client, and as evidence about the backend.</summary>
internal static class HandshakeOutcomes
{
    /// <summary>What a client is told whose backend failed; <see langword="null"/> where no backend did.</summary>
    public static Refusal? RefusalOf(HandshakeOutcome outcome) => outcome switch
    {
        HandshakeOutcome.TimedOut => Refusal.NotAnsweredInTime,
        HandshakeOutcome.NoAnswer => Refusal.NoAnswer,
        HandshakeOutcome.BadAnswer => Refusal.BadAnswer,
        _ => null,
    };

    /// <summary>The status that a client got whose backend was asked, but opened no tunnel; 0 for none.</summary>
    public static int StatusOf(HandshakeOutcome outcome, ResponseHead? answer) => outcome switch
    {
        HandshakeOutcome.Full => Refusal.NoRoomForUpgrade.Status,
        HandshakeOutcome.Declined => answer?.Status ?? 0,
        _ => RefusalOf(outcome)?.Status ?? 0,
    };

    /// <summary>What it means that no backend was reached.</summary>
    public static (HandshakeOutcome Outcome, Refusal? Refusal) Refuse(DialResult result, BackendChoice choice, bool wasAsked) => (result, choice.Why) switch
    {
        (DialResult.Abandoned, _) => (HandshakeOutcome.ClientGone, null),
        (_, NoBackendReason.Held) => (HandshakeOutcome.Held, choice.Refusal),
        (_, NoBackendReason.QueueFull) => (HandshakeOutcome.QueueFull, choice.Refusal),
        (_, NoBackendReason.QueueTimedOut) => (HandshakeOutcome.QueueTimedOut, choice.Refusal),
        (_, NoBackendReason.QueueClosed) => (HandshakeOutcome.QueueClosed, choice.Refusal),
        (DialResult.TimedOut, _) => (HandshakeOutcome.Unreachable, Refusal.NotReachedInTime),
        (DialResult.OutOfResources or DialResult.OutOfReach, _) => (HandshakeOutcome.Full, choice.Refuse(Refusal.NoRoom)),
        (DialResult.Unreachable, _) => (HandshakeOutcome.Unreachable, Refusal.NotReached),
        (_, NoBackendReason.Full) => (HandshakeOutcome.Full, choice.Refusal),
        _ when wasAsked => (HandshakeOutcome.NoAnswer, Refusal.NoAnswer),
        _ => (HandshakeOutcome.NoBackend, choice.Refusal),
    };

    /// <summary>Reports what was seen of a backend.</summary>
    public static void Report(IOutcomeSink outcomes, Backend backend, HandshakeOutcome outcome, BackendChoice choice)
    {
        if (outcome is HandshakeOutcome.Opened or HandshakeOutcome.Declined) outcomes.Succeeded(backend);
        else if (EvidenceOf(outcome) is not Evidence.None and var evidence) outcomes.Failed(backend, Suspicion.Of(evidence, choice.Client));
    }

    private static Evidence EvidenceOf(HandshakeOutcome outcome) => outcome switch
    {
        HandshakeOutcome.NoAnswer => Evidence.NoAnswer,
        HandshakeOutcome.BadAnswer => Evidence.BadAnswer,
        HandshakeOutcome.TimedOut => Evidence.TimedOut,
        _ => Evidence.None,
    };
}
