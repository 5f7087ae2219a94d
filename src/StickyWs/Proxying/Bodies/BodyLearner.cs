using System.Buffers;
using System.IO.Pipelines;
using StickyWs.Dispatch;

namespace StickyWs.Proxying;

/// <summary>Lets affinity look into the body of an answer, which goes to the client unchanged afterwards.</summary>
internal static class BodyLearner
{
    // Ten times what SignalR and Socket.IO answer; what is longer is looked at so far and no further.
    private const int LongestLook = 16 * 1024;

    public static async ValueTask LearnAsync(Decision decision, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = response.Content;
        var reader = PipeReader.Create(await body.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
        var read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);

        // No longer than there is sense in it: a stream of an application's own must not wait for its end here.
        while (!read.IsCompleted && read.Buffer.Length < LongestLook && Decision.IsPart(Joined(read.Buffer)))
        {
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        }

        await decision.LearnAsync(Joined(read.Buffer)).ConfigureAwait(false);
        reader.AdvanceTo(read.Buffer.Start);
        response.Content = new StreamContent(reader.AsStream());
        foreach (var (name, values) in body.Headers.NonValidated) response.Content.Headers.TryAddWithoutValidation(name, values);
    }

    private static ReadOnlySpan<byte> Joined(in ReadOnlySequence<byte> buffer) => buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
}
