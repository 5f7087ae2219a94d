using System.Collections.Frozen;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace StickyWs.Tests.Architecture;

/// <summary>Goes through the instructions of a method (ECMA-335 partition III) for the metadata tokens that they carry.</summary>
internal static class IntermediateCode
{
    private static readonly FrozenDictionary<int, OperandType> Operands = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToFrozenDictionary(code => (int)(ushort)code.Value, code => code.OperandType);

    public static IEnumerable<EntityHandle> Tokens(BlobReader code)
    {
        List<EntityHandle> tokens = [];
        while (code.RemainingBytes > 0)
        {
            int instruction = code.ReadByte();
            if (instruction == 0xFE) instruction = 0xFE00 | code.ReadByte();
            var operand = Operands[instruction];
            if (operand == OperandType.InlineSwitch)
            {
                var targets = code.ReadInt32();
                code.Offset += targets * sizeof(int);
            }
            else if (operand is OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineType or OperandType.InlineTok or OperandType.InlineSig)
            {
                tokens.Add((EntityHandle)MetadataTokens.Handle(code.ReadInt32()));
            }
            else
            {
                code.Offset += Size(operand);
            }
        }

        return tokens;
    }

    private static int Size(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };
}
