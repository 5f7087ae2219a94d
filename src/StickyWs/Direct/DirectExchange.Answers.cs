using StickyWs.Backends;
using StickyWs.Forwarding;
using StickyWs.Http1;

namespace StickyWs.Direct;

// The answer, on its way from the backend to the client.
internal sealed partial class DirectExchange
{
    // Of a body's first bytes, those that go out together with the head.
    private const int MostWithHead = 16 * 1024;

    /// <summary>Passes on an interim answer (1xx).</summary>
    public void PassInterim(in DirectAnswer answer, ReadOnlySpan<byte> head)
    {
        _hasInterim = true;
        if (answer.Status == 100 && !_request.ExpectsContinue) return; // A client that did not ask for it may take it for the answer.
        if (DirectAnswerWriter.TryWrite(desk.Scratch, head, answer, [], closes: false, out var length) && !client.Send(desk.Scratch.AsSpan(0, length)))
            _link?.Pause();
    }

    /// <summary>The answer that follows leaves open what becomes of the rest of the request: the client's connection ends with it.</summary>
    public void EndEarly() => _closes = true;

    /// <summary>Passes on the head of the answer, and what has come of its body.</summary>
    public void PassAnswer(in DirectAnswer answer, ReadOnlySpan<byte> message)
    {
        var head = message[..answer.HeadLength];
        _services.Outcomes.Succeeded(Backend!);
        _spans?.Answered(answer.Status);
        (_hasAnswer, _status, _failure, _dropsBody) = (true, answer.Status, AttemptFailure.None, answer.DropsBody);
        _closes |= answer.Framing == BodyFraming.UntilClose || client.IsLeaving;
        _bytesToClient = answer.Framing == BodyFraming.Length ? answer.ContentLength : null;
        if (_dropsBody) message = head;
        var lines = Settle(answer, head);
        var hasRoom = answer.PassesAsIs && !_closes && lines.IsEmpty ? client.Send(message) : SendWritten(answer, message, lines);
        if (!hasRoom) _link?.Pause();
    }

    /// <summary>Passes on part of the answer's body.</summary>
    public void PassBody(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty && !_dropsBody && !client.Send(bytes)) _link?.Pause();
    }

    /// <summary>All of the answer was passed on; only the rest of the request is under way.</summary>
    public void AnswerIsWhole() => _isAnswered = true;

    /// <summary>The answer has ended, in one way or another, and no longer has a connection.</summary>
    public void AnswerEnded(AnswerEnd end)
    {
        _link = null;
        switch (end)
        {
            case AnswerEnd.Whole:
                End(closes: _closes || !IsReceived);
                break;
            case AnswerEnd.Broken:
                _failure = AttemptFailure.BrokenAnswer;
                Report(null);
                _services.Failures.Note(Backend!, "request", null, Refusal.BrokenAnswer.Text);
                Break();
                break;
            default:
                AttemptFailed(end == AnswerEnd.None ? AttemptFailure.NoAnswer : AttemptFailure.BadAnswer, null);
                break;
        }
    }

    private bool SendWritten(in DirectAnswer answer, ReadOnlySpan<byte> message, ReadOnlySpan<byte> lines)
    {
        if (!DirectAnswerWriter.TryWrite(desk.Scratch, message[..answer.HeadLength], answer, lines, _closes, out var length))
            throw new InvalidOperationException("The head has grown.");
        var body = message[answer.HeadLength..];
        if (body.Length > MostWithHead) return client.Send(desk.Scratch.AsSpan(0, length)) & client.Send(body);
        body.CopyTo(desk.Scratch.AsSpan(length));
        return client.Send(desk.Scratch.AsSpan(0, length + body.Length));
    }
}
