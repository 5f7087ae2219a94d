using StickyWs.Dialing;
using StickyWs.Tls;

namespace StickyWs.Direct;

// TLS between the backend and its answers.
internal sealed partial class BackendLink
{
    // Until the first answer: session tickets come before it, if they come.
    private SessionShelf? _sessions;

    /// <summary>Whether it can take an exchange. Not if the backend has said something of its own accord.</summary>
    public bool IsUsable { get; }

    private void TakeRecords(ReadOnlySpan<byte> bytes, bool isEarly)
    {
        var step = _socket.Open(bytes);
        TakeSessions(isLast: !step.Plain.IsEmpty || step.Status != TlsStatus.Open);
        if (!step.Plain.IsEmpty || (isEarly && _socket.HoldsPart)) Take(step.Plain, isEarly); // Else it is TLS's own business.
        if (_isGone) return;
        if (step.Status == TlsStatus.Failed) EndAfterAlert();
        else if (step.Status == TlsStatus.PeerClosed) Finished(_socket.Number);
    }

    private void TakeSessions(bool isLast)
    {
        if (_sessions is null) return;
        _sessions.Keep(_socket.Tls!);
        if (!isLast) return;
        _socket.Tls!.ForgetSessions();
        _sessions = null;
    }

    // It broke TLS. What it said before counts.
    private void EndAfterAlert()
    {
        if (_exchange is not { } exchange)
        {
            Drop(isReset: false);
            return;
        }

        Close(isReset: false); // Lest the alert is lost.
        exchange.AnswerEnded(_hasHead ? AnswerEnd.Broken : AnswerEnd.Bad);
    }
}
